#include "gateway/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/scripted_network.h"
#include "http/stream_server.h"
#include "runtime/run_until_done.h"

namespace weft::gateway {
namespace {

using http::Script;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

EgressPolicy everything() {
  EgressPolicy policy;
  policy.allow_all = true;
  return policy;
}

class ForwardAll final : public http::Handler {
 public:
  ForwardAll(Proxy& proxy, const UpstreamPool& pool) : proxy_(proxy), pool_(pool) {}
  Task<void> handle(http::Exchange& exchange) override {
    RequestContext context;
    context.trace.trace_id.fill('\x0a');
    context.trace.span_id.fill('\x0b');
    auto result = co_await proxy_.forward(exchange, pool_, context);
    results.push_back(result);
  }
  std::vector<ForwardResult> results;

 private:
  Proxy& proxy_;
  const UpstreamPool& pool_;
};

struct ProxyWorld {
  explicit ProxyWorld(std::size_t targets = 1) : pool(options(targets), dialer, clock, loops) {}

  static UpstreamOptions options(std::size_t targets) {
    UpstreamOptions made;
    made.name = "orders";
    for (std::size_t i = 0; i < targets; ++i) {
      made.targets.push_back(UpstreamTarget{false, fmt::format("10.0.0.{}", i + 1), 80, "/base"});
    }
    return made;
  }

  // What the client gets for what it sends.
  const std::string& run(std::deque<std::string> client_sends) {
    client->sends = std::move(client_sends);
    http::ServerOptions server_options;
    server_options.name = "gateway";
    http::StreamServer server(server_options, handler, clock, metrics);
    run_until_done(loops.at(0).context(),
                   server.serve(std::make_unique<http::ScriptedStream>(client)));
    return client->received;
  }

  Loops loops{1};
  SystemClock clock;
  Metrics metrics;
  http::ScriptedNetwork network;
  Dialer dialer{network, clock, everything()};
  UpstreamPool pool;
  Proxy proxy{clock, metrics};
  ForwardAll handler{proxy, pool};
  std::shared_ptr<Script> client = std::make_shared<Script>();
};

constexpr const char* kGet = "GET /orders/7?x=1 HTTP/1.1\r\nHost: shop\r\n\r\n";
constexpr const char* kOk = "HTTP/1.1 200 OK\r\nX-From: upstream\r\nContent-Length: 2\r\n\r\nok";

int count(const std::string& text, std::string_view part) {
  int found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Proxy, RewritesTheHeadOnItsWay) {
  ProxyWorld world;
  auto upstream = world.network.expect({kOk});

  auto& got =
      world.run({"GET /orders/7?x=1 HTTP/1.1\r\nHost: shop\r\nAccept: */*\r\nTE: trailers\r\n"
                 "Connection: keep-alive, X-Secret\r\nX-Secret: s\r\nKeep-Alive: 5\r\n"
                 "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"
                 "X-Weft-Principal: admin\r\ntraceparent: 00-junk\r\n\r\n"});

  EXPECT_EQ(upstream->received,
            "GET /base/orders/7?x=1 HTTP/1.1\r\nHost: 10.0.0.1\r\nAccept: */*\r\n"
            "X-Forwarded-For: 203.0.113.9, 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
            "X-Forwarded-Host: shop\r\n"
            "traceparent: 00-0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a-0b0b0b0b0b0b0b0b-01\r\n\r\n");
  EXPECT_THAT(got,
              AllOf(StartsWith("HTTP/1.1 200 OK\r\nX-From: upstream\r\n"), EndsWith("\r\n\r\nok")));
}

TEST(Proxy, SpendsOneReadAndOneWriteOnEachSide) {
  ProxyWorld world;
  auto upstream = world.network.expect({kOk, kOk, kOk});

  world.run({kGet, kGet, kGet});

  EXPECT_EQ(upstream->steps, 6u);
  EXPECT_EQ(world.client->steps, 7u) << "and the read that finds the client's end";
  EXPECT_EQ(world.network.connected.size(), 1u);
}

TEST(Proxy, CarriesBodiesOfEveryFraming) {
  ProxyWorld world;
  auto upstream = world.network.expect(
      {kOk, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
       "2\r\nde\r\n0\r\n\r\n", kOk});

  auto& got = world.run({"POST /a HTTP/1.1\r\nHost: s\r\nContent-Length: 5\r\n\r\nhello",
                         "POST /b HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwo",
                         "rl\r\n1\r\nd\r\n0\r\n\r\n",
                         "PUT /c HTTP/1.1\r\nHost: s\r\nContent-Length: 6\r\n\r\nabc", "def"});

  EXPECT_THAT(
      upstream->received,
      AllOf(
          HasSubstr("Content-Length: 5\r\n\r\nhello"),
          HasSubstr("Transfer-Encoding: chunked\r\n\r\n2\r\nwo\r\n2\r\nrl\r\n1\r\nd\r\n0\r\n\r\n"),
          HasSubstr("Content-Length: 6\r\n\r\nabcdef")));
  EXPECT_THAT(got, HasSubstr("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
  EXPECT_EQ(count(got, "HTTP/1.1 200 OK"), 3);
}

TEST(Proxy, PassesLongBodiesOnPieceByPiece) {
  ProxyWorld world;
  std::string body(300'000, 'x');
  world.network.expect({"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + body});

  auto& got = world.run({kGet, kGet});

  EXPECT_THAT(got, HasSubstr("Content-Length: 300000\r\n"));
  EXPECT_EQ(count(got, "x"), 300'000);
}

TEST(Proxy, AnswersHeadAndNotModifiedWithoutABody) {
  ProxyWorld world;
  world.network.expect({"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n",
                        "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", kOk});

  auto& got = world.run({"HEAD /a HTTP/1.1\r\nHost: s\r\n\r\n", kGet, kGet});

  EXPECT_THAT(got, AllOf(HasSubstr("Content-Length: 500\r\n\r\nHTTP/1.1 304"), EndsWith("ok")));
}

TEST(Proxy, SendsAnIdempotentRequestAgainWhenAKeptConnectionDied) {
  ProxyWorld world;
  world.network.expect({kOk});
  world.network.expect({kOk});

  auto& got = world.run({kGet, kGet});

  EXPECT_EQ(count(got, "HTTP/1.1 200 OK"), 2);
  ASSERT_EQ(world.handler.results.size(), 2u);
  EXPECT_TRUE(world.handler.results[1].is_retried);
}

TEST(Proxy, TriesAPostOnlyOnAConnectionThatLives) {
  ProxyWorld world;
  auto first = world.network.expect({kOk});
  auto second = world.network.expect({kOk});

  auto& got = world.run({kGet, "POST /a HTTP/1.1\r\nHost: s\r\nContent-Length: 1\r\n\r\nx"});

  EXPECT_EQ(count(got, "HTTP/1.1 200 OK"), 2);
  EXPECT_THAT(first->received, Not(HasSubstr("POST")));
  EXPECT_THAT(second->received, HasSubstr("POST"));
}

TEST(Proxy, DoesNotSendAPostTwice) {
  ProxyWorld world;
  auto first = world.network.expect({kOk, "never read"});
  first->fails_at = 3;  // the write of the second request has passed, the read of its answer fails
  world.network.expect({kOk});

  auto& got = world.run({kGet, "POST /a HTTP/1.1\r\nHost: s\r\nContent-Length: 1\r\n\r\nx"});

  EXPECT_THAT(got, HasSubstr("HTTP/1.1 502 Bad Gateway"));
  EXPECT_EQ(world.network.connected.size(), 1u);
}

TEST(Proxy, SaysWhatWentWrongWithTheUpstream) {
  ProxyWorld refused;
  EXPECT_THAT(refused.run({kGet}),
              AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("UPSTREAM_UNAVAILABLE"),
                    HasSubstr("\"traceId\":\"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a\""),
                    HasSubstr("Retry-After: 1")));

  ProxyWorld slow_connect;
  slow_connect.network.expect_failure(ErrorCode::DeadlineExceeded);
  EXPECT_THAT(slow_connect.run({kGet}), StartsWith("HTTP/1.1 504 "));

  ProxyWorld slow_answer;
  slow_answer.network.expect({})->then_fails = ErrorCode::DeadlineExceeded;
  EXPECT_THAT(slow_answer.run({kGet}),
              AllOf(StartsWith("HTTP/1.1 504 "), HasSubstr("UPSTREAM_TIMEOUT")));

  ProxyWorld silent;
  silent.network.expect({});
  EXPECT_THAT(silent.run({kGet}), AllOf(StartsWith("HTTP/1.1 502 "), HasSubstr("UPSTREAM_FAILED")));

  ProxyWorld smuggler;
  smuggler.network.expect(
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"});
  EXPECT_THAT(smuggler.run({kGet}), StartsWith("HTTP/1.1 502 "));
}

TEST(Proxy, SaysThatAnAnswerIsMalformedWhileItStillCan) {
  ProxyWorld chunks;
  chunks.network.expect({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"});
  EXPECT_THAT(chunks.run({kGet}), StartsWith("HTTP/1.1 502 "));

  ProxyWorld upgrade;
  upgrade.network.expect({"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nabc"});
  EXPECT_THAT(upgrade.run({kGet}), AllOf(StartsWith("HTTP/1.1 502 "), Not(HasSubstr("101"))));
}

TEST(Proxy, CutsTheClientWhenTheUpstreamIsCut) {
  ProxyWorld world;
  world.network.expect({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"});

  auto& got = world.run({kGet, kGet});

  EXPECT_THAT(got, EndsWith("\r\n\r\nabc"));
  EXPECT_EQ(count(got, "HTTP/1.1"), 1);
  EXPECT_EQ(world.handler.results[0].error, "UPSTREAM_CUT");
}

TEST(Proxy, DoesNotKeepAConnectionOnWhichTheUpstreamSaidTooMuch) {
  ProxyWorld world;
  world.network.expect({std::string(kOk) + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"});
  world.network.expect({kOk});

  auto& got = world.run({kGet, kGet});

  EXPECT_EQ(world.network.connected.size(), 2u);
  EXPECT_THAT(got, Not(HasSubstr("evil")));
}

TEST(Proxy, RefusesABadBodyOfTheClient) {
  ProxyWorld world;
  world.network.expect({kOk});

  auto& got = world.run(
      {"POST /a HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "zz\r\n"});

  EXPECT_THAT(got, AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("BAD_BODY")));
}

TEST(Proxy, TakesAnAnswerThatComesBeforeTheBodyHasPassed) {
  ProxyWorld world;
  auto upstream =
      world.network.expect({"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"});
  upstream->fails_at = 2;  // head and first piece are written, then the upstream closes

  auto& got = world.run({"POST /a HTTP/1.1\r\nHost: s\r\nContent-Length: 6\r\n\r\nab", "cd", "ef"});

  EXPECT_THAT(got, StartsWith("HTTP/1.1 413 "));
}

TEST(Proxy, CarriesATunnelAfterAnUpgrade) {
  ProxyWorld world;
  auto upstream = world.network.expect(
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nfirst",
       "second"});

  auto& got = world.run(
      {"GET /ws HTTP/1.1\r\nHost: s\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly", "late"});

  EXPECT_THAT(upstream->received, AllOf(HasSubstr("Connection: Upgrade\r\nUpgrade: echo\r\n\r\n"),
                                        EndsWith("earlylate")));
  EXPECT_THAT(got, AllOf(StartsWith("HTTP/1.1 101 "), HasSubstr("Upgrade: echo\r\n"),
                         EndsWith("\r\n\r\nfirstsecond")));
}

TEST(Proxy, SurvivesAFailureOfTheUpstreamAtEveryStep) {
  const std::deque<std::string> client{
      kGet, "POST /a HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
      "0\r\n\r\n"};
  const std::deque<std::string> answers{
      kOk, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r\nabc\r\n", "0\r\n\r\n"};
  ProxyWorld whole;
  auto script = whole.network.expect(answers);
  whole.run(client);
  ASSERT_EQ(count(whole.client->received, "HTTP/1.1 200 OK"), 2);

  for (std::size_t step = 0; step < script->steps; ++step) {
    ProxyWorld world;
    world.network.expect(answers)->fails_at = step;
    auto& got = world.run(client);
    EXPECT_THAT(got, StartsWith("HTTP/1.1 ")) << step;
    for (const auto& result : world.handler.results) EXPECT_GE(result.status, 200) << step;
  }
}

TEST(UpstreamPool, TakesTargetsInTurnAndLeavesOutOneThatRefuses) {
  ProxyWorld world(2);
  world.network.expect_failure(ErrorCode::Unavailable);
  world.network.expect({kOk});

  auto& got = world.run({kGet});

  EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK"));
  ASSERT_EQ(world.network.connected.size(), 2u);
  EXPECT_NE(world.network.connected[0], world.network.connected[1]);
  auto refusing = world.network.connected[0] == "10.0.0.1:80" ? 0u : 1u;
  EXPECT_TRUE(world.pool.is_left_out(refusing, world.clock.mono()));
  EXPECT_FALSE(world.pool.is_left_out(refusing, world.clock.mono() + 2s));
  EXPECT_FALSE(world.pool.is_left_out(1 - refusing, world.clock.mono()));
}

TEST(UpstreamTarget, IsReadFromAUrl) {
  auto target = UpstreamTarget::parse("https://api.example.com/v2/").value();

  EXPECT_TRUE(target.tls);
  EXPECT_EQ(target.port, 443);
  EXPECT_EQ(target.base_path, "/v2");
  EXPECT_EQ(target.authority(), "api.example.com");
  EXPECT_EQ(UpstreamTarget::parse("http://[::1]:81").value().authority(), "[::1]:81");
  EXPECT_FALSE(UpstreamTarget::parse("http://a/?x=1"));
}

}  // namespace
}  // namespace weft::gateway
