// The gateway's proxy path alone, for measuring beside nginx: HTTP server, router, API-key check, trace,
// metrics, upstream pool. Arguments: listen port, upstream port, loops. Runs until it is signalled.
#include <signal.h>

#include <cstdlib>
#include <thread>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "gateway/authenticator.h"
#include "gateway/core/router.h"
#include "gateway/proxy.h"
#include "gateway/request_recorder.h"
#include "http/server.h"
#include "runtime/socket_network.h"
#include "runtime/thread_random.h"
#include "telemetry/trace_store.h"

namespace weft::gateway {
namespace {

constexpr std::string_view kApiKey = "weft_0123456789abcdef_bench";

// One key, checked as identity checks its keys: by a keyed hash.
class OneKey final : public Authenticator {
 public:
  OneKey() : digest_(crypto::hmac_sha256("pepper", kApiKey)) {
    principal_ = std::make_shared<identity::Principal>(
        identity::make_principal(identity::PrincipalType::Client, "bench", "default"));
  }
  Result<identity::PrincipalRef> authenticate(std::string_view key) const override {
    if (crypto::hmac_sha256("pepper", key) != digest_) {
      return fail(ErrorCode::Unauthenticated, "unknown key");
    }
    return principal_;
  }

 private:
  decltype(crypto::hmac_sha256("", "")) digest_;
  identity::PrincipalRef principal_;
};

class BenchHandler final : public http::Handler {
 public:
  BenchHandler(Proxy& proxy, UpstreamPool& pool, RequestRecorder& recorder, RouteMetrics& metrics)
      : proxy_(proxy), pool_(pool), recorder_(recorder), metrics_(metrics) {
    auto compiled = Router::compile({{"", "GET", "/orders/{id}", 0}, {"", "POST", "/orders", 0}});
    router_ = std::move(compiled.value());
  }

  Task<void> handle(http::Exchange& exchange) override {
    auto context = recorder_.begin(exchange);
    const auto& head = exchange.head();
    auto match = router_.match(head.host, head.method, head.path);
    if (match.outcome != RouteMatch::Outcome::Found) {
      auto answer = http::problem(404, "NO_ROUTE", "no route", context.trace.trace_id_hex());
      (void)co_await exchange.respond(answer);
      co_return;
    }
    auto principal = authenticate(exchange, keys_);
    if (!principal) {
      auto answer = http::problem(401, "UNAUTHENTICATED", principal.error().message,
                                  context.trace.trace_id_hex());
      (void)co_await exchange.respond(answer);
      co_return;
    }
    context.principal = std::move(*principal);
    auto result = co_await proxy_.forward(exchange, pool_, context);
    recorder_.end(exchange, metrics_, context, result);
  }

 private:
  Proxy& proxy_;
  UpstreamPool& pool_;
  RequestRecorder& recorder_;
  RouteMetrics& metrics_;
  OneKey keys_;
  Router router_;
};

int run(std::uint16_t port, std::uint16_t upstream, std::size_t loop_count) {
  Loops loops(loop_count);
  SystemClock clock;
  ThreadRandom random;
  Metrics metrics;
  SocketNetwork network;
  EgressPolicy policy;
  policy.allow_all = true;
  Dialer dialer(network, clock, policy);
  telemetry::TraceStore spans;
  UpstreamOptions options;
  options.name = "bench";
  options.targets.push_back(UpstreamTarget{false, "127.0.0.1", upstream, ""});
  UpstreamPool pool(std::move(options), dialer, clock, loops);
  Proxy proxy(clock, metrics);
  RequestRecorder recorder(clock, random, spans, AccessLog::Off);
  RouteMetrics route(metrics, "orders", "GET", "/orders/{id}");
  BenchHandler handler(proxy, pool, recorder, route);
  http::ServerOptions server_options;
  server_options.name = "gateway";
  server_options.listen = net::Endpoint{"127.0.0.1", port};
  auto server = http::Server::open(std::move(server_options), handler, loops, clock, metrics);
  if (!server) {
    fmt::print(stderr, "{}\n", server.error().message);
    return 1;
  }
  (*server)->start();
  std::jthread stopper([&] {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    int signal = 0;
    sigwait(&signals, &signal);
    (*server)->stop(1s);
    loops.stop();
  });
  loops.run();
  return 0;
}

}  // namespace
}  // namespace weft::gateway

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: gateway_proxy_bench LISTEN_PORT UPSTREAM_PORT LOOPS\n");
    return 1;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return weft::gateway::run(static_cast<std::uint16_t>(std::atoi(argv[1])),
                            static_cast<std::uint16_t>(std::atoi(argv[2])),
                            static_cast<std::size_t>(std::atoi(argv[3])));
}
