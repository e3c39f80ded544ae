#include "http/edge/server_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "http/scripted_stream.h"
#include "runtime/clock.h"
#include "runtime/run_until_done.h"

namespace weft::http {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Answers by path; what it saw is kept.
class TestHandler final : public Handler {
 public:
  Task<void> handle(Exchange& exchange) override {
    auto path = std::string(exchange.head().path);
    seen.push_back(fmt::format("{} {}", exchange.head().method, exchange.head().target));
    if (path == "/echo") co_return co_await echo(exchange);
    if (path == "/stream") co_return co_await stream(exchange);
    if (path == "/pieces") co_return co_await pieces(exchange);
    if (path == "/now") {
      (void)exchange.respond_now(200, {}, "at once");
      co_return;
    }
    if (path == "/silent") co_return;
    if (path == "/short") co_return co_await promise_more_than_given(exchange);
    if (path == "/throw") (void)seen.at(1'000'000);
    if (path == "/upgrade") co_return co_await upgrade(exchange);
    Response response(200, "text/plain", "hello");
    (void)co_await exchange.respond(response);
  }

  std::vector<std::string> seen;
  std::vector<ErrorCode> body_errors;

 private:
  Task<void> echo(Exchange& exchange) {
    auto body = co_await exchange.read_body(1000);
    if (!body) {
      body_errors.push_back(body.error().code);
      co_return;
    }
    Response response(200, "text/plain", std::string(*body));
    (void)co_await exchange.respond(response);
  }

  Task<void> stream(Exchange& exchange) {
    std::span<const Field> none;
    if (!co_await exchange.start(200, none)) co_return;
    if (!co_await exchange.write("one")) co_return;
    if (!co_await exchange.write("two")) co_return;
    (void)co_await exchange.finish();
  }

  Task<void> pieces(Exchange& exchange) {
    std::string all;
    for (;;) {
      auto piece = co_await exchange.read_some();
      if (!piece) {
        body_errors.push_back(piece.error().code);
        co_return;
      }
      if (piece->empty()) break;
      all += *piece;
      all += '|';
    }
    Response response(200, "text/plain", all);
    (void)co_await exchange.respond(response);
  }

  Task<void> promise_more_than_given(Exchange& exchange) {
    std::array<Field, 1> fields{Field{"Content-Length", "10"}};
    if (!co_await exchange.start(200, fields)) co_return;
    if (!co_await exchange.write("short")) co_return;
    (void)co_await exchange.finish();
  }

  Task<void> upgrade(Exchange& exchange) {
    std::array<Field, 1> fields{Field{"Upgrade", "echo"}};
    if (!co_await exchange.start(101, fields)) co_return;
    std::array<char, 64> buffer;
    auto count = co_await exchange.stream().read_some(buffer);
    if (!count) co_return;
    std::array<std::string_view, 1> back{std::string_view(buffer.data(), *count)};
    (void)co_await exchange.stream().write(back);
  }
};

struct Conversation {
  explicit Conversation(std::deque<std::string> sends) { script->sends = std::move(sends); }

  const std::string& run() {
    run_until_done(io, serve());
    return script->received;
  }

  Task<void> serve() {
    ServerConnection connection(std::make_unique<ScriptedStream>(script), context, 0);
    co_await connection.run();
  }

  ServerOptions options() {
    ServerOptions made;
    made.name = "test";
    made.limits.body_bytes_max = 5000;
    return made;
  }

  IoContext io;
  SystemClock clock;
  Metrics metrics;
  TestHandler handler;
  ServerContext context{options(), handler, clock, metrics};
  std::shared_ptr<Script> script = std::make_shared<Script>();
};

int count(const std::string& text, std::string_view part) {
  int found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(ServerConnection, AnswersAndWaitsForTheNextRequest) {
  Conversation talk({kGet, kGet});

  auto& got = talk.run();

  EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: "));
  EXPECT_EQ(count(got, "Content-Length: 5\r\n\r\nhello"), 2);
  EXPECT_EQ(talk.script->writes, 2u);
}

TEST(ServerConnection, SpendsOneReadAndOneWritePerRequest) {
  Conversation talk({kGet, kGet, kGet});

  talk.run();

  // Three reads, three writes, and the read that finds the end.
  EXPECT_EQ(talk.script->steps, 7u);
}

TEST(ServerConnection, AnswersPipelinedRequestsInOrder) {
  Conversation talk(
      {"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /echo HTTP/1.1\r\nHost: a\r\n"
       "Content-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\nHost: a\r\n\r\n"});

  auto& got = talk.run();

  EXPECT_THAT(talk.handler.seen, testing::ElementsAre("GET /1", "POST /echo", "GET /3"));
  EXPECT_EQ(count(got, "HTTP/1.1 200 OK"), 3);
  EXPECT_LT(got.find("abc"), got.rfind("hello"));
}

TEST(ServerConnection, ReadsARequestThatComesByteByByte) {
  std::deque<std::string> bytes;
  std::string request =
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  for (char c : request) bytes.emplace_back(1, c);
  Conversation talk(bytes);

  EXPECT_THAT(talk.run(), HasSubstr("\r\n\r\nabcde"));
}

TEST(ServerConnection, TakesPipelinedRequestsThatArriveWithTheEndOfABody) {
  Conversation talk({"POST /pieces HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                     "3\r\nabc\r\n", "2\r\nde\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n"});

  auto& got = talk.run();

  EXPECT_THAT(got, HasSubstr("abc|de|"));
  EXPECT_THAT(talk.handler.seen, testing::ElementsAre("POST /pieces", "GET /next"));
}

TEST(ServerConnection, AsksForABodyThatIsWithheld) {
  Conversation talk(
      {"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
       "Content-Length: 3\r\n\r\n",
       "abc"});

  EXPECT_THAT(talk.run(), StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
}

TEST(ServerConnection, ClosesWhenAWithheldBodyIsNotWanted) {
  Conversation talk(
      {"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
       "Content-Length: 3\r\n\r\n"});

  EXPECT_THAT(talk.run(), AllOf(HasSubstr("Connection: close"), Not(HasSubstr("100 Continue"))));
}

TEST(ServerConnection, DropsAnUnreadBodyAndGoesOn) {
  Conversation talk({"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", "abc", kGet});

  EXPECT_EQ(count(talk.run(), "hello"), 2);
}

TEST(ServerConnection, RefusesABodyAboveTheLimitBeforeItComes) {
  Conversation talk({"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5001\r\n\r\n"});

  EXPECT_THAT(talk.run(),
              AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr("Connection: close"),
                    HasSubstr("application/problem+json"), HasSubstr("BODY_TOO_LARGE")));
  EXPECT_TRUE(talk.handler.seen.empty());
  EXPECT_TRUE(talk.script->has_finished_writing);
}

TEST(ServerConnection, StopsAChunkedBodyAtTheLimit) {
  Conversation talk({"POST /pieces HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                     "1389\r\n" + std::string(5001, 'x') + "\r\n0\r\n\r\n"});

  talk.run();

  EXPECT_THAT(talk.handler.body_errors, testing::ElementsAre(ErrorCode::ResourceExhausted));
}

TEST(ServerConnection, GivesTheHandlerOnlyAsMuchBodyAsItTakes) {
  Conversation talk({"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n"});

  talk.run();

  EXPECT_THAT(talk.handler.body_errors, testing::ElementsAre(ErrorCode::ResourceExhausted));
}

TEST(ServerConnection, RefusesAmbiguousRequestsAndDropsWhatFollows) {
  Conversation talk(
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n"
       "\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"});

  auto& got = talk.run();

  EXPECT_THAT(got, AllOf(StartsWith("HTTP/1.1 400 Bad Request\r\n"), HasSubstr("Connection: close"),
                         HasSubstr("\"traceId\":\"")));
  EXPECT_EQ(count(got, "HTTP/1.1"), 1);
  EXPECT_TRUE(talk.handler.seen.empty());
}

TEST(ServerConnection, ReportsBadChunksToTheHandlerAndCloses) {
  Conversation talk(
      {"POST /pieces HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
       "5\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"});

  auto& got = talk.run();

  EXPECT_THAT(talk.handler.body_errors, testing::ElementsAre(ErrorCode::InvalidArgument));
  EXPECT_EQ(talk.handler.seen.size(), 1u);
  EXPECT_THAT(got, HasSubstr("Connection: close"));
}

TEST(ServerConnection, AnswersAHeadThatTakesTooLong) {
  Conversation talk({"GET / HTTP/1.1\r\nHo"});
  talk.script->then_fails = ErrorCode::DeadlineExceeded;

  EXPECT_THAT(talk.run(), StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
}

TEST(ServerConnection, ClosesAnIdleConnectionWithoutAWord) {
  Conversation talk({});
  talk.script->then_fails = ErrorCode::DeadlineExceeded;

  EXPECT_EQ(talk.run(), "");
}

TEST(ServerConnection, RefusesAHeadAboveTheLimit) {
  Conversation talk({"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n"});

  EXPECT_THAT(talk.run(), StartsWith("HTTP/1.1 431 "));
}

TEST(ServerConnection, AnswersForAHandlerThatDidNot) {
  Conversation talk(
      {"GET /silent HTTP/1.1\r\nHost: a\r\n\r\n"
       "GET /throw HTTP/1.1\r\nHost: a\r\n\r\n"});

  auto& got = talk.run();

  EXPECT_EQ(count(got, "HTTP/1.1 500 Internal Server Error"), 2);
  EXPECT_THAT(got, HasSubstr("\"code\":\"INTERNAL\""));
}

TEST(ServerConnection, SaysThatABodyWasCutWhereTheHandlerGaveUp) {
  Conversation talk({"POST /pieces HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nhello"});

  auto& got = talk.run();

  EXPECT_THAT(talk.handler.body_errors, testing::ElementsAre(ErrorCode::Unavailable));
  EXPECT_THAT(got, AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("ended inside the body")));
}

TEST(ServerConnection, ClosesWhenAResponseEndsBeforeItsLength) {
  Conversation talk({"GET /short HTTP/1.1\r\nHost: a\r\n\r\n", kGet});

  EXPECT_EQ(count(talk.run(), "HTTP/1.1"), 1);
}

TEST(ServerConnection, WritesPiecesAsChunks) {
  Conversation talk({"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"});

  EXPECT_THAT(talk.run(), AllOf(HasSubstr("Transfer-Encoding: chunked\r\n"),
                                HasSubstr("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")));
}

TEST(ServerConnection, WritesPiecesToAnOldClientUntilItCloses) {
  Conversation talk({"GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"});

  EXPECT_THAT(talk.run(), AllOf(Not(HasSubstr("chunked")), HasSubstr("Connection: close"),
                                HasSubstr("\r\n\r\nonetwo")));
}

TEST(ServerConnection, SendsNoBodyToHead) {
  Conversation talk(
      {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n"});

  auto& got = talk.run();

  EXPECT_THAT(got, AllOf(HasSubstr("Content-Length: 5\r\n\r\n"), Not(HasSubstr("hello")),
                         Not(HasSubstr("one"))));
  EXPECT_EQ(count(got, "HTTP/1.1 200 OK"), 2);
}

TEST(ServerConnection, KeepsWhatTheSocketDidNotTake) {
  Conversation talk(
      {"GET /now HTTP/1.1\r\nHost: a\r\n\r\n", "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"});
  talk.script->takes_at_once = 7;

  auto& got = talk.run();

  EXPECT_THAT(got,
              AllOf(HasSubstr("\r\n\r\nat once"), HasSubstr("3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")));
}

TEST(ServerConnection, HandsTheStreamOverAfterAnUpgrade) {
  Conversation talk(
      {"GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
       "early bytes"});

  EXPECT_THAT(talk.run(), AllOf(StartsWith("HTTP/1.1 101 Switching Protocols\r\n"),
                                HasSubstr("Connection: Upgrade\r\n"),
                                testing::EndsWith("\r\n\r\nearly bytes")));
}

TEST(ServerConnection, TakesNoNewRequestWhenTheServerDrains) {
  Conversation talk({kGet});
  talk.context.is_draining = true;

  EXPECT_EQ(talk.run(), "");
  EXPECT_TRUE(talk.handler.seen.empty());
}

TEST(ServerConnection, SurvivesAFailureAtEveryStep) {
  const std::deque<std::string> sends{
      "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n",
      "abc",
      "def",
      "GET /stream HTTP/1.1\r\nHost: a\r\n\r\nGET /now HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n",
      "x"};
  Conversation whole(sends);
  whole.run();
  auto steps = whole.script->steps;
  ASSERT_GT(steps, 10u);

  for (std::size_t step = 0; step < steps; ++step) {
    Conversation talk(sends);
    talk.script->fails_at = step;
    auto& got = talk.run();
    EXPECT_TRUE(whole.script->received.starts_with(got.substr(0, 9))) << step;
    EXPECT_LE(got.size(), whole.script->received.size()) << step;
  }
}

TEST(Problem, IsAnRfc9457BodyWithTraceAndCode) {
  auto response = problem(422, "INVALID", "a \"bad\" order", "0af7", R"({"at":"/lines/0"})");

  EXPECT_EQ(
      response.body,
      R"({"type":"about:blank","title":"Unprocessable Content","status":422,"traceId":"0af7",)"
      R"("code":"INVALID","message":"a \"bad\" order","details":{"at":"/lines/0"}})");
  EXPECT_EQ(response.fields[0].second, "application/problem+json");
}

TEST(Query, IsDecodedAndKeptWhereItCannotBe) {
  auto got = parse_query("a=1&b=x+y%2B&c&&d=%zz&e=1=2");

  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(got, (Pairs{{"a", "1"}, {"b", "x y+"}, {"c", ""}, {"d", "%zz"}, {"e", "1=2"}}));
  EXPECT_EQ(percent_decode("%C3%A4+"), "ä+");
  EXPECT_FALSE(percent_decode("%4"));
  EXPECT_EQ(percent_encode("a/ä b"), "a%2F%C3%A4%20b");
}

TEST(Response, CannotBeSplitByAFieldValue) {
  class Splitting final : public Handler {
    Task<void> handle(Exchange& exchange) override {
      Response response(200, "text/plain", "x");
      response.add("Location", "/a\r\nSet-Cookie: evil=1");
      (void)co_await exchange.respond(response);
    }
  };
  Conversation talk({kGet});
  Splitting splitting;
  ServerContext context(talk.options(), splitting, talk.clock, talk.metrics);
  ServerConnection connection(std::make_unique<ScriptedStream>(talk.script), context, 0);

  run_until_done(talk.io, connection.run());

  EXPECT_THAT(talk.script->received, HasSubstr("Location: /a  Set-Cookie: evil=1\r\n"));
}

}  // namespace
}  // namespace weft::http
