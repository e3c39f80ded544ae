#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "http/client.h"
#include "runtime/channel.h"
#include "runtime/dialer.h"
#include "runtime/run_until_done.h"
#include "runtime/socket_network.h"

namespace weft::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// "/slow" answers when it is let go; everything else at once.
class GateHandler final : public Handler {
 public:
  explicit GateHandler(Clock& clock) : clock_(clock) {}
  Task<void> handle(Exchange& exchange) override {
    if (exchange.head().path == "/slow") {
      is_slow_here = true;
      while (!let_go) {
        if (!co_await clock_.sleep_for(1ms)) co_return;
      }
    }
    Response response(200, "text/plain", fmt::format("loop {}", exchange.loop_index()));
    (void)co_await exchange.respond(response);
  }
  std::atomic<bool> is_slow_here = false;
  std::atomic<bool> let_go = false;

 private:
  Clock& clock_;
};

// A server on two loops, and a client that blocks.
class ServerWorld {
 public:
  explicit ServerWorld(ServerLimits limits = {}) {
    ServerOptions options;
    options.name = "test";
    options.listen = net::Endpoint{"127.0.0.1", 0};
    options.limits = limits;
    server = Server::open(std::move(options), handler, loops, clock, metrics).value();
    server->start();
    thread_ = std::jthread([this] { loops.run(); });
  }
  ~ServerWorld() {
    handler.let_go = true;
    if (!is_stopped) stop(5s);
    loops.stop();
  }
  void stop(Duration drain) {
    server->stop(drain);
    is_stopped = true;
  }

  SystemClock clock;
  Metrics metrics;
  Loops loops{2};
  GateHandler handler{clock};
  std::unique_ptr<Server> server;
  bool is_stopped = false;

 private:
  std::jthread thread_;
};

// A plain connection of the test's own.
class Caller {
 public:
  explicit Caller(const net::Endpoint& to) {
    stream = run_until_done(io, network.connect(to, MonoTime::max())).value();
    stream->set_deadline(SystemClock().mono() + 10s);
  }
  void send(std::string_view text) {
    std::array<std::string_view, 1> whole{text};
    (void)run_until_done(io, stream->write(whole));
  }
  // What comes until the end, or until `text` was seen.
  std::string receive(std::string_view text = "\n never \n") {
    std::string got;
    std::array<char, 4096> buffer;
    while (!got.contains(text)) {
      auto count = run_until_done(io, stream->read_some(buffer));
      if (!count || *count == 0) break;
      got.append(buffer.data(), *count);
    }
    return got;
  }

  IoContext io;
  SocketNetwork network;
  std::unique_ptr<net::Stream> stream;
};

constexpr const char* kGetRequest = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(Server, SpreadsConnectionsOverItsLoops) {
  ServerWorld world;
  Caller first(world.server->local());
  Caller second(world.server->local());

  first.send(kGetRequest);
  auto from_first = first.receive("loop");
  second.send(kGetRequest);
  auto from_second = second.receive("loop");

  EXPECT_NE(from_first.back(), from_second.back()) << from_first << from_second;
}

TEST(Server, ReportsATakenPortAtOnce) {
  ServerWorld world;
  ServerOptions options;
  options.listen = world.server->local();

  auto second = Server::open(options, world.handler, world.loops, world.clock, world.metrics);

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::AlreadyExists);
}

TEST(Server, RefusesConnectionsBeyondItsLimit) {
  ServerWorld world({.connections_max = 1});
  Caller first(world.server->local());
  first.send(kGetRequest);
  ASSERT_THAT(first.receive("loop"), StartsWith("HTTP/1.1 200"));

  Caller second(world.server->local());

  EXPECT_THAT(second.receive(), StartsWith("HTTP/1.1 503 "));
}

TEST(Server, EndsAPeerThatSendsItsHeadTooSlowly) {
  ServerWorld world({.head_timeout = 50ms});
  Caller slow(world.server->local());

  slow.send("GET / HTTP/1.1\r\nHo");

  EXPECT_THAT(slow.receive(), StartsWith("HTTP/1.1 408 "));
}

TEST(Server, EndsAPeerThatSendsItsBodyTooSlowly) {
  class Reading final : public Handler {
    Task<void> handle(Exchange& exchange) override {
      auto body = co_await exchange.read_body(1000);
      outcome = body ? ErrorCode::Internal : body.error().code;
      seen.count_down();
    }

   public:
    std::atomic<ErrorCode> outcome = ErrorCode::Internal;
    std::latch seen{1};
  };
  ServerWorld world;
  Reading handler;
  ServerOptions options;
  options.listen = net::Endpoint{"127.0.0.1", 0};
  options.limits.body_timeout = 50ms;
  auto server =
      Server::open(std::move(options), handler, world.loops, world.clock, world.metrics).value();
  server->start();
  Caller slow(server->local());

  slow.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
  handler.seen.wait();

  EXPECT_EQ(handler.outcome, ErrorCode::DeadlineExceeded);
  server->stop(1s);
}

TEST(Server, LetsAnExchangeInFlightFinishWhenItStops) {
  ServerWorld world;
  Caller idle(world.server->local());
  idle.send(kGetRequest);
  ASSERT_THAT(idle.receive("loop"), StartsWith("HTTP/1.1 200"));
  Caller busy(world.server->local());
  busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  while (!world.handler.is_slow_here) std::this_thread::yield();

  std::jthread stopper([&] { world.stop(5s); });
  auto from_idle = idle.receive();
  world.handler.let_go = true;
  auto from_busy = busy.receive();
  stopper.join();

  EXPECT_EQ(from_idle, "") << "an idle connection is closed at once";
  EXPECT_THAT(from_busy, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(from_busy, HasSubstr("Connection: close"));
}

TEST(Server, CutsWhatDoesNotFinishInTime) {
  ServerWorld world;
  Caller busy(world.server->local());
  busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  while (!world.handler.is_slow_here) std::this_thread::yield();

  world.stop(20ms);

  EXPECT_EQ(busy.receive(), "");
}

TEST(Server, ServesTheClientOverItsKeptConnection) {
  ServerWorld world;
  IoContext io;
  SocketNetwork network;
  EgressPolicy policy;
  policy.allow_all = true;
  Dialer dialer(network, world.clock, policy);
  Client client(dialer, world.clock, world.metrics, ClientLimits());
  for (int i = 0; i < 3; ++i) {
    ClientRequest request;
    request.url = Url::parse("http://" + world.server->local().text() + "/").value();

    auto response = run_until_done(io, client.send(std::move(request)));

    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 200);
  }
  EXPECT_THAT(world.metrics.prometheus_text(),
              HasSubstr("weft_http_connections_open{server=\"test\"} 1\n"));
}

}  // namespace
}  // namespace weft::http
