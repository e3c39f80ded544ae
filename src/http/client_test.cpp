#include "http/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/scripted_network.h"
#include "runtime/dialer.h"
#include "runtime/run_until_done.h"

namespace weft::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

EgressPolicy everything() {
  EgressPolicy policy;
  policy.allow_all = true;
  return policy;
}

struct ClientWorld {
  explicit ClientWorld(ClientLimits used = {}) : limits(used) {}

  IoContext io;
  SystemClock clock;
  Metrics metrics;
  ScriptedNetwork network;
  Dialer dialer{network, clock, everything()};
  ClientLimits limits;
  Client client{dialer, clock, metrics, limits};

  Result<ClientResponse> send(std::string method = "GET", std::string body = "",
                              std::string host = "10.0.0.1") {
    ClientRequest request;
    request.method = std::move(method);
    request.url = Url::parse("http://" + host + ":81/hook?x=1").value();
    request.fields = {{"X-Id", "7"}, {"Content-Length", "999"}};
    request.body = std::move(body);
    return run_until_done(io, client.send(std::move(request)));
  }
};

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nX-Answer: yes\r\nContent-Length: 2\r\n\r\nok";

TEST(Client, SendsARequestAndReadsItsResponse) {
  ClientWorld world;
  auto server = world.network.expect({"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 20", "1 Created\r\n",
                                      "X-Answer: yes\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc",
                                      "\r\n1\r\nd\r\n0\r\n\r\n"});

  auto response = world.send("POST", "hello");

  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, "abcd");
  EXPECT_EQ(response->find("x-answer"), "yes");
  EXPECT_EQ(server->received,
            "POST /hook?x=1 HTTP/1.1\r\nX-Id: 7\r\nHost: 10.0.0.1:81\r\nUser-Agent: weft\r\n"
            "Content-Length: 5\r\n\r\nhello");
}

TEST(Client, KeepsAConnectionForTheNextCall) {
  ClientWorld world;
  world.network.expect({kOk, kOk});

  EXPECT_TRUE(world.send());
  EXPECT_TRUE(world.send());

  EXPECT_EQ(world.network.connected.size(), 1u);
}

TEST(Client, ClosesConnectionsToOriginsThatAreCalledNoMore) {
  ClientWorld world{ClientLimits{.idle_timeout = 0s}};
  auto first = world.network.expect({kOk});
  world.network.expect({kOk});
  ASSERT_TRUE(world.send());
  ASSERT_GT(first.use_count(), 1);

  ASSERT_TRUE(world.send("GET", "", "10.0.0.2"));

  EXPECT_EQ(first.use_count(), 1) << "the connection is gone";
}

TEST(Client, ConnectsAnewWhenTheKeptConnectionHasEnded) {
  ClientWorld world;
  world.network.expect({kOk});
  world.network.expect({kOk});

  EXPECT_TRUE(world.send("POST", "a"));
  EXPECT_TRUE(world.send("POST", "b"));

  EXPECT_EQ(world.network.connected.size(), 2u);
}

TEST(Client, SendsOnceMoreWhenAKeptConnectionDiesUnheard) {
  ClientWorld world;
  auto first = world.network.expect({kOk, kOk});
  world.network.expect({kOk});
  ASSERT_TRUE(world.send());

  first->dies_at = first->steps;
  auto second = world.send();

  EXPECT_TRUE(second);
  EXPECT_EQ(world.network.connected.size(), 2u);
}

TEST(Client, DoesNotRepeatWhatIsNotIdempotent) {
  ClientWorld world;
  auto first = world.network.expect({kOk, kOk});
  ASSERT_TRUE(world.send());

  first->dies_at = first->steps;
  auto second = world.send("POST", "once");

  EXPECT_EQ(second.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(world.network.connected.size(), 1u);
}

TEST(Client, CutsABodyAtItsLimitAndSaysSo) {
  ClientWorld world;
  world.network.expect({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"});
  ClientRequest request;
  request.url = Url::parse("http://10.0.0.1/").value();
  request.response_bytes_max = 4;

  auto response = run_until_done(world.io, world.client.send(std::move(request)));

  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "0123");
  EXPECT_TRUE(response->truncated);
}

TEST(Client, TakesAnAnswerThatComesBeforeTheBodyWasRead) {
  ClientWorld world;
  auto server =
      world.network.expect({"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"});
  server->fails_at = 0;

  auto response = world.send("POST", "too much");

  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 413);
}

TEST(Client, ReportsAnAnswerThatIsCutOrMalformed) {
  for (const char* answer :
       {"", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"}) {
    ClientWorld world;
    world.network.expect({answer});
    EXPECT_EQ(world.send().error().code, ErrorCode::Unavailable) << answer;
  }
  ClientWorld world;
  world.network.expect({"SSH-2.0-OpenSSH_9.2\r\n\r\n"});
  auto malformed = world.send();
  EXPECT_EQ(malformed.error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(malformed.error().message, StartsWith("http://10.0.0.1:81: "));
}

TEST(Client, ReadsABodyThatEndsWithTheConnection) {
  ClientWorld world;
  world.network.expect({"HTTP/1.1 200 OK\r\n\r\nabc", "def"});

  auto response = world.send();

  EXPECT_EQ(response.value().body, "abcdef");
}

struct UrlCase {
  const char* text;
  const char* origin;
  const char* target;
};

TEST(Url, IsSplit) {
  for (const UrlCase& c : std::vector<UrlCase>{
           {"http://example.com", "http://example.com:80", "/"},
           {"HTTPS://example.com/a/b?c=d#e", "https://example.com:443", "/a/b?c=d"},
           {"http://example.com:8080?x", "http://example.com:8080", "/?x"},
           {"http://[::1]:9000/x", "http://[::1]:9000", "/x"}}) {
    auto url = Url::parse(c.text);
    ASSERT_TRUE(url) << c.text;
    EXPECT_EQ(url->origin(), c.origin);
    EXPECT_EQ(url->target, c.target);
  }
}

TEST(Url, IsRefusedWhenItCouldMeanSomethingElse) {
  for (const char* text :
       {"", "example.com", "ftp://example.com", "http://", "http://user@example.com/",
        "http://a:0/", "http://a:99999/", "http://a:8x/", "http://a b/", "http://a/b c",
        "http://[::1", "http://[a]/", "http://a\r\nb/"}) {
    EXPECT_FALSE(Url::parse(text)) << text;
  }
}

}  // namespace
}  // namespace weft::http
