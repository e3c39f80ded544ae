#include "app/api/gateway_routes.h"

#include "identity/decisions.h"

namespace weft::app {
namespace {

std::string_view rule_name(gateway::IdempotencyRule rule) {
  switch (rule) {
    case gateway::IdempotencyRule::Required:
      return "required";
    case gateway::IdempotencyRule::Optional:
      return "optional";
    case gateway::IdempotencyRule::None:
      return "none";
  }
  return "none";
}

void write_quantile(JsonWriter& out, std::string_view name, const gateway::RouteTraffic& traffic,
                    double seconds) {
  out.key(name);
  if (traffic.requests > 0)
    out.value(seconds * 1000);
  else
    out.null();
}

void write_route(JsonWriter& out, const gateway::RouteInfo& route) {
  out.object()
      .member("name", route.name)
      .member("api", route.api)
      .member("owner", route.owner)
      .member("method", route.method)
      .member("path", route.path)
      .member("operationId", route.operation)
      .member("idempotency", rule_name(route.idempotency))
      .member("authentication", route.authenticated ? "api-key" : "none")
      .key("target")
      .object()
      .member("kind", route.to_stream ? "stream" : "upstream")
      .member("name", route.target);
  if (!route.to_stream)
    out.member("healthy", route.healthy_endpoints).member("endpoints", route.endpoints);
  out.end();
  if (!route.host.empty()) out.member("host", route.host);
  out.member("requests", route.traffic.requests)
      .member("clientErrors", route.traffic.client_errors)
      .member("errors", route.traffic.server_errors)
      .member("requestsPerSecond", route.traffic.requests_per_second);
  write_quantile(out, "p50Ms", route.traffic, route.traffic.p50_seconds);
  write_quantile(out, "p95Ms", route.traffic, route.traffic.p95_seconds);
  write_quantile(out, "p99Ms", route.traffic, route.traffic.p99_seconds);
  out.end();
}

Task<Result<http::Response>> list_routes(GatewayRoutesParts& parts, ApiCall& call) {
  CO_TRY(auto limit, call.limit());
  CO_TRY(auto after, read_cursor(call));
  JsonWriter out;
  out.object().key("items").array();
  std::size_t shown = 0;
  std::string last;
  bool more = false;
  auto tenant = call.confined_to();
  for (const auto& route : parts.gateway.routes()) {
    if (!tenant.empty() && route.tenant != tenant) continue;
    auto position = route.path + '\n' + route.method + '\n' + route.host;
    if (position <= after) continue;
    if (shown == limit) {
      more = true;
      break;
    }
    write_route(out, route);
    last = std::move(position);
    ++shown;
  }
  out.end();
  if (more) out.member("nextCursor", make_cursor(last));
  out.end();
  co_return json_answer(std::move(out));
}

}  // namespace

std::vector<ApiRoute> gateway_routes(GatewayRoutesParts& parts) {
  return {{"GET", "/routes", "listRoutes", identity::action::kAdminRead,
           [&parts](ApiCall& call) { return list_routes(parts, call); }}};
}

}  // namespace weft::app
