// The API gateway: compiles Api and Upstream resources to an immutable table of routes, and answers
// each request by it: route ▸ authenticate ▸ authorise ▸ check against the contract ▸ forward, or
// publish.
//
// A compiler of the estate (compile and publish on its thread) and a handler of the HTTP server
// (any loop). Failure: problem bodies only; docs/gateway.md lists the codes.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "estate/compiler.h"
#include "gateway/authenticator.h"
#include "gateway/proxy.h"
#include "gateway/publisher.h"
#include "gateway/request_recorder.h"
#include "http/server.h"
#include "identity/decisions.h"
#include "runtime/dialer.h"
#include "runtime/loop_snapshot.h"

namespace weft::gateway {

struct GatewayOptions {
  std::uint64_t body_bytes_max = 10 * 1024 * 1024;  // of a request that is checked or published
  Duration upstream_timeout = std::chrono::seconds(30);
};

struct GatewayParts {
  const Authenticator& authenticator;
  PublisherParts publisher;
  Dialer& dialer;
  Clock& clock;
  Random& random;
  Loops& loops;
  Metrics& metrics;
  SpanSink& spans;
  AccessLog* access_log = nullptr;  // null: none is kept
};

// A route as pages show it.
struct RouteInfo {
  std::string name;  // "<api>/<operationId>"
  std::string tenant;
  std::string api;
  std::string owner;
  std::string host;
  std::string method;
  std::string path;
  std::string operation;
  bool to_stream = false;
  std::string target;  // name of the stream or upstream
  std::size_t endpoints = 0;
  std::size_t healthy_endpoints = 0;
  IdempotencyRule idempotency = IdempotencyRule::None;
  bool authenticated = true;
  RouteTraffic traffic;
};

struct Route;  // gateway/core/route_table.h
struct RouteMatch;
struct CompiledApi;
struct RouteTable;

class Gateway final : public estate::Compiler, public http::Handler {
 public:
  Gateway(GatewayOptions options, GatewayParts parts);
  ~Gateway() override;

  std::string_view name() const override { return "gateway"; }
  std::vector<std::string> kinds() const override { return {"Api", "Upstream"}; }
  std::uint64_t compilations() const override { return compilations_; }
  Result<std::shared_ptr<const void>> compile(const estate::EstateView& view) override;
  void publish(std::uint64_t generation, std::shared_ptr<const void> snapshot) override;

  Task<void> handle(http::Exchange& exchange) override;

  // Sorted by path, then method.
  std::vector<RouteInfo> routes() const;
  // Of all routes together since the start, for the overview.
  RouteTraffic traffic() const;
  // Updates the routes' rates; call it every few seconds.
  void sample(Duration since_last);

 private:
  // A request that has found its route; keeps the table that the route stands in.
  struct Call {
    std::shared_ptr<const RouteTable> table;
    const Route& route;
    RequestContext context;
  };

  Task<void> pass_on(http::Exchange& exchange, Call call);
  Task<void> answer_refused(http::Exchange& exchange, Call call, Refusal refusal);
  Task<void> answer_slowly(http::Exchange& exchange, Call call, RouteMatch match);
  Task<ForwardResult> check_and_forward(http::Exchange& exchange, const Call& call,
                                        std::span<const std::string_view> path_values);
  Task<ForwardResult> publish_event(http::Exchange& exchange, const Route& route,
                                    RequestContext& context,
                                    std::span<const std::string_view> path_values);
  Task<ForwardResult> refuse(http::Exchange& exchange, Refusal refusal,
                             const RequestContext& context);
  std::optional<Refusal> check_request(const http::RequestHead& head, std::string_view body,
                                       const Route& route,
                                       std::span<const std::string_view> path_values) const;
  std::expected<PreparedEvent, Refusal> prepare_event(
      const http::RequestHead& head, std::string_view body, const Route& route,
      const RequestContext& context, std::span<const std::string_view> path_values) const;
  Result<std::shared_ptr<const CompiledApi>> compile_api(const estate::Resource& api,
                                                         const estate::EstateView& view);
  Result<> complete(Route& route, const estate::EstateView& view);
  Task<void> answer_unrouted(http::Exchange& exchange, int status, std::string allow);
  std::optional<Refusal> admit(http::Exchange& exchange, const Route& route,
                               RequestContext& context) const;

  GatewayOptions options_;
  GatewayParts parts_;
  Publisher publisher_;
  Proxy proxy_;
  RequestRecorder recorder_;
  identity::Decisions decisions_;
  Counter& unrouted_;
  LoopSnapshot<RouteTable> table_;
  // The estate's thread. Apis by content; pools by tenant and content, so that an unchanged
  // upstream keeps its connections; metrics by tenant, api, method and path, so that counts go on.
  std::map<std::string, std::shared_ptr<const CompiledApi>> apis_;
  std::map<std::string, std::weak_ptr<const UpstreamPool>> pools_;
  std::map<std::string, std::weak_ptr<RouteMetrics>> route_metrics_;
  std::atomic<std::uint64_t> compilations_{0};
};

}  // namespace weft::gateway
