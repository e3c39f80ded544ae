#include "gateway/gateway.h"

#include <algorithm>
#include <array>

#include "base/json_writer.h"
#include "gateway/core/route_table.h"
#include "runtime/log.h"

namespace weft::gateway {
namespace {

using contracts::RequestViolation;

std::string request_violations_json(const std::vector<RequestViolation>& violations) {
  JsonWriter out;
  out.array();
  for (const auto& violation : violations) {
    out.object().member("in", violation.in);
    if (!violation.name.empty()) out.member("name", violation.name);
    out.member("pointer", violation.pointer)
        .member("schema", violation.schema)
        .member("message", violation.message)
        .end();
  }
  out.end();
  return std::move(out).text();
}

Refusal contract_refusal(const std::vector<RequestViolation>& violations) {
  const auto& first = violations.front();
  Refusal refusal;
  refusal.status = first.kind == RequestViolation::Kind::MediaType ? 415 : 400;
  refusal.code = refusal.status == 415 ? "UNSUPPORTED_MEDIA_TYPE" : "CONTRACT_VIOLATION";
  auto place = first.in == "body" ? "the body at '" + first.pointer + "'"
                                  : first.in + " parameter " + first.name;
  refusal.message = place + ": " + first.message;
  refusal.details = request_violations_json(violations);
  return refusal;
}

Refusal body_refusal(const Error& error) {
  if (error.code == ErrorCode::ResourceExhausted) return {413, "BODY_TOO_LARGE", error.message, ""};
  if (error.code == ErrorCode::DeadlineExceeded) return {408, "REQUEST_TIMEOUT", error.message, ""};
  return {400, "MALFORMED_REQUEST", error.message, ""};
}

// Answers of a publication are short: they need no wait, and their fields no list of their own.
bool respond_now(http::Exchange& exchange, const http::Response& response) {
  constexpr std::size_t kFieldsMax = 4;
  std::array<http::Field, kFieldsMax> fields;
  ENSURE(response.fields.size() <= kFieldsMax, "a publication is answered with few fields");
  std::ranges::transform(response.fields, fields.begin(), [](const auto& field) {
    return http::Field{field.first, field.second};
  });
  return exchange.respond_now(response.status, std::span(fields).first(response.fields.size()),
                              response.body);
}

}  // namespace

Gateway::Gateway(GatewayOptions options, GatewayParts parts)
    : options_(options),
      parts_(parts),
      publisher_(parts.publisher),
      proxy_(parts.clock, parts.metrics),
      recorder_(parts.clock, parts.random, parts.spans, parts.access_log),
      unrouted_(
          parts.metrics.counter("weft_gateway_unrouted_total", "Requests that no route takes.")),
      table_(parts.loops) {
  table_.store(std::make_shared<const RouteTable>(), parts_.loops);
}

Gateway::~Gateway() = default;

Result<std::shared_ptr<const void>> Gateway::compile(const estate::EstateView& view) {
  auto table = std::make_shared<RouteTable>();
  std::vector<RouteSpec> specs;
  std::map<std::string, std::shared_ptr<const CompiledApi>> kept;
  for (const auto& api : view.of_kind("Api")) {
    auto compiled = compile_api(*api, view);
    if (!compiled) return std::unexpected(std::move(compiled).error().within(api->id().text()));
    for (const auto& route : (*compiled)->routes) {
      specs.push_back({route->host, route->method, route->path, table->routes.size()});
      table->routes.push_back(route);
    }
    kept.emplace(api->hash(), *std::move(compiled));
  }
  TRY(table->router, Router::compile(specs));
  apis_ = std::move(kept);
  return std::shared_ptr<const void>(std::move(table));
}

// The one of an earlier generation when neither the Api nor an upstream of it has changed; of a
// changed upstream only the routes are new.
Result<std::shared_ptr<const CompiledApi>> Gateway::compile_api(const estate::Resource& api,
                                                                const estate::EstateView& view) {
  auto is_same = [&](const auto& upstream) {
    const auto* now = view.find(api.tenant(), "Upstream", upstream.first);
    return now != nullptr && now->hash() == upstream.second;
  };
  auto known = apis_.find(api.hash());
  if (known != apis_.end() && std::ranges::all_of(known->second->upstreams, is_same))
    return known->second;
  auto compiled = std::make_shared<CompiledApi>();
  if (known != apis_.end()) {
    compiled->document = known->second->document;
  } else {
    compilations_.fetch_add(1);
    TRY(compiled->document, compile_document(api));
  }
  TRY(auto routes, routes_of_api(api, compiled->document));
  for (auto& route : routes) {
    CHECK(complete(route, view));
    if (route.pool) {
      compiled->upstreams.emplace(route.upstream,
                                  view.find(route.tenant, "Upstream", route.upstream)->hash());
    }
    compiled->routes.push_back(std::make_shared<const Route>(std::move(route)));
  }
  return compiled;
}

// Gives a route its pool and its metrics; those of the same route of an earlier generation where
// they fit.
Result<> Gateway::complete(Route& route, const estate::EstateView& view) {
  auto& metrics = route_metrics_[fmt::format("{}\n{}\n{}\n{}", route.tenant, route.api,
                                             route.method, route.path)];
  route.metrics = metrics.lock();
  if (!route.metrics) {
    route.metrics =
        std::make_shared<RouteMetrics>(parts_.metrics, route.api, route.method, route.path);
    metrics = route.metrics;
  }
  if (route.publish) return {};
  const auto* upstream = view.find(route.tenant, "Upstream", route.upstream);
  if (upstream == nullptr)
    return fail(ErrorCode::NotFound, "there is no Upstream {}", route.upstream);
  auto& pool = pools_[route.tenant + "/" + upstream->hash()];
  route.pool = pool.lock();
  if (route.pool) return {};
  compilations_.fetch_add(1);
  TRY(auto options, upstream_options(*upstream, options_.upstream_timeout));
  route.pool = std::make_shared<const UpstreamPool>(std::move(options), parts_.dialer, parts_.clock,
                                                    parts_.loops);
  pool = route.pool;
  return {};
}

void Gateway::publish(std::uint64_t, std::shared_ptr<const void> snapshot) {
  table_.store(std::static_pointer_cast<const RouteTable>(std::move(snapshot)), parts_.loops);
  std::erase_if(pools_, [](const auto& entry) { return entry.second.expired(); });
  std::erase_if(route_metrics_, [](const auto& entry) { return entry.second.expired(); });
}

// Not a coroutine: what can be judged without waiting is judged here, so that a request that is
// passed on has the frames of its waits alone, and small ones.
Task<void> Gateway::handle(http::Exchange& exchange) {
  const auto& table = table_.at(exchange.loop_index());
  const auto& head = exchange.head();
  auto match = table->router.match(head.host, head.method, head.path);
  if (match.outcome != RouteMatch::Outcome::Found) {
    auto status = match.outcome == RouteMatch::Outcome::NoMethod  ? 405
                  : match.outcome == RouteMatch::Outcome::BadPath ? 400
                                                                  : 404;
    return answer_unrouted(exchange, status, std::move(match.allow));
  }
  Call call{table, *table->routes[match.route], recorder_.begin(exchange)};
  const auto& route = call.route;
  auto refusal = admit(exchange, route, call.context);
  if (!refusal && route.publish) return answer_slowly(exchange, std::move(call), std::move(match));
  if (!refusal && route.validated) {
    bool may_be_at_hand = head.content_length <= options_.body_bytes_max;
    auto body = may_be_at_hand ? exchange.try_read_body() : std::nullopt;
    if (!body) return answer_slowly(exchange, std::move(call), std::move(match));
    refusal = check_request(head, *body, route, match.values());
  }
  if (refusal) return answer_refused(exchange, std::move(call), std::move(*refusal));
  return pass_on(exchange, std::move(call));
}

Task<void> Gateway::pass_on(http::Exchange& exchange, Call call) {
  auto result = co_await proxy_.forward(exchange, *call.route.pool, call.context);
  recorder_.end(exchange, *call.route.metrics, call.context, result);
}

Task<void> Gateway::answer_refused(http::Exchange& exchange, Call call, Refusal refusal) {
  auto result = co_await refuse(exchange, std::move(refusal), call.context);
  recorder_.end(exchange, *call.route.metrics, call.context, result);
}

Task<void> Gateway::answer_slowly(http::Exchange& exchange, Call call, RouteMatch match) {
  ForwardResult result;
  if (call.route.publish) {
    result = co_await publish_event(exchange, call.route, call.context, match.values());
  } else {
    result = co_await check_and_forward(exchange, call, match.values());
  }
  recorder_.end(exchange, *call.route.metrics, call.context, result);
}

std::optional<Refusal> Gateway::admit(http::Exchange& exchange, const Route& route,
                                      RequestContext& context) const {
  if (!route.authenticated) return std::nullopt;
  auto principal = authenticate(exchange, parts_.authenticator);
  if (!principal) {
    return Refusal{
        401, "UNAUTHENTICATED",
        "send an API key as X-API-Key or \"Authorization: Bearer\": " + principal.error().message,
        ""};
  }
  context.principal = std::move(*principal);
  identity::ResourceRef resource{route.tenant, "Api", route.api};
  auto decision = decisions_.decide(*context.principal, identity::action::kRouteCall, resource);
  if (decision) return std::nullopt;
  return Refusal{403, "PERMISSION_DENIED", context.principal->id + " may not call API " + route.api,
                 ""};
}

// Waits for a body that is checked before it is passed on.
Task<ForwardResult> Gateway::check_and_forward(http::Exchange& exchange, const Call& call,
                                               std::span<const std::string_view> path_values) {
  auto body = co_await exchange.read_body(options_.body_bytes_max);
  if (!body) co_return co_await refuse(exchange, body_refusal(body.error()), call.context);
  auto refusal = check_request(exchange.head(), *body, call.route, path_values);
  if (refusal) co_return co_await refuse(exchange, std::move(*refusal), call.context);
  co_return co_await proxy_.forward(exchange, *call.route.pool, call.context);
}

std::optional<Refusal> Gateway::check_request(const http::RequestHead& head, std::string_view body,
                                              const Route& route,
                                              std::span<const std::string_view> path_values) const {
  contracts::RequestParts request;
  request.captures = path_values;
  request.query = head.query;
  request.header = [&head](std::string_view name) { return head.find(name); };
  request.body = body;
  auto violations = route.contract->request.violations(request);
  if (violations.empty()) return std::nullopt;
  return contract_refusal(violations);
}

Task<ForwardResult> Gateway::publish_event(http::Exchange& exchange, const Route& route,
                                           RequestContext& context,
                                           std::span<const std::string_view> path_values) {
  const auto& head = exchange.head();
  // Most bodies come with their head: those need no wait.
  std::optional<std::string_view> body;
  if (head.content_length <= options_.body_bytes_max) body = exchange.try_read_body();
  if (!body) {
    auto read = co_await exchange.read_body(options_.body_bytes_max);
    if (!read) co_return co_await refuse(exchange, body_refusal(read.error()), context);
    body = *read;
  }
  auto prepared = prepare_event(head, *body, route, context, path_values);
  if (!prepared) co_return co_await refuse(exchange, std::move(prepared).error(), context);
  auto response = co_await publisher_.publish(*route.publish, *prepared, context);
  ForwardResult result;
  result.status = response.status;
  if (response.status >= 500) result.error = "NOT_STORED";
  result.is_stored = response.status < 300;
  if (!respond_now(exchange, response)) result.status = 499;
  co_return result;
}

// Parses the body once for both contracts, the operation's and the stream's, and checks it once
// when they ask the same. Does not wait: the parsed tree is this thread's own and lives until its
// next parse.
std::expected<PreparedEvent, Refusal> Gateway::prepare_event(
    const http::RequestHead& head, std::string_view body, const Route& route,
    const RequestContext& context, std::span<const std::string_view> path_values) const {
  thread_local JsonParser parser;
  auto parsed = parser.parse(body);
  if (!parsed) {
    return std::unexpected(
        Refusal{400, "MALFORMED_JSON", "the body is not JSON: " + parsed.error().message, ""});
  }
  if (route.validated) {
    contracts::RequestParts request;
    request.captures = path_values;
    request.query = head.query;
    request.header = [&head](std::string_view name) { return head.find(name); };
    request.body = body;
    request.json = *parsed;
    auto violations = route.contract->request.violations(request);
    // The key has answers of its own, which tell how to mend it.
    std::erase_if(violations, [](const RequestViolation& violation) {
      return violation.in == "header" && equals_ignoring_case(violation.name, "Idempotency-Key");
    });
    if (!violations.empty()) return std::unexpected(contract_refusal(violations));
  }
  std::string_view rules =
      route.validated ? route.contract->request.body_rules() : std::string_view();
  return publisher_.prepare(*route.publish, head, {body, **parsed, rules}, context);
}

Task<ForwardResult> Gateway::refuse(http::Exchange& exchange, Refusal refusal,
                                    const RequestContext& context) {
  auto response = http::problem(refusal.status, refusal.code, refusal.message,
                                context.trace.trace_id_hex(), refusal.details);
  if (refusal.status == 401) response.add("WWW-Authenticate", "Bearer");
  ForwardResult result;
  result.status = refusal.status;
  auto sent = co_await exchange.respond(response);
  if (!sent) result.status = 499;
  co_return result;
}

Task<void> Gateway::answer_unrouted(http::Exchange& exchange, int status, std::string allow) {
  unrouted_.add();
  auto trace = TraceContext::start(parts_.random).trace_id_hex();
  http::Response response;
  if (status == 405) {
    response = http::problem(405, "METHOD_NOT_ALLOWED", "this path takes " + allow, trace);
    response.add("Allow", std::move(allow));
  } else if (status == 400) {
    response =
        http::problem(400, "BAD_PATH", "the path has dot segments or cannot be decoded", trace);
  } else {
    response = http::problem(
        404, "NO_ROUTE", "no API takes this path; `weft` lists routes at /api/v1/routes", trace);
  }
  auto sent = co_await exchange.respond(response);
  if (!sent) log_debug("gateway", "the answer could not be sent", {{"why", sent.error().message}});
  recorder_.end_unrouted(exchange, status, trace);
}

std::vector<RouteInfo> Gateway::routes() const {
  auto table = table_.load();
  auto now = parts_.clock.mono();
  std::vector<RouteInfo> all;
  for (const auto& route : table->routes) {
    RouteInfo info;
    info.name = route->name();
    info.tenant = route->tenant;
    info.api = route->api;
    info.owner = route->owner;
    info.host = route->host;
    info.method = route->method;
    info.path = route->path;
    info.operation = route->operation;
    info.to_stream = route->publish.has_value();
    info.target = info.to_stream ? route->publish->stream : route->upstream;
    if (route->pool) {
      info.endpoints = route->pool->options().targets.size();
      for (std::size_t i = 0; i < info.endpoints; ++i)
        info.healthy_endpoints += route->pool->is_left_out(i, now) ? 0 : 1;
    }
    info.idempotency = info.to_stream ? route->publish->idempotency : IdempotencyRule::None;
    info.authenticated = route->authenticated;
    info.traffic = route->metrics->traffic();
    all.push_back(std::move(info));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::tie(a.path, a.method, a.host) < std::tie(b.path, b.method, b.host);
  });
  return all;
}

RouteTraffic Gateway::traffic() const {
  RouteTraffic all;
  for (const auto& route : table_.load()->routes) {
    auto one = route->metrics->traffic();
    all.requests += one.requests;
    all.client_errors += one.client_errors;
    all.server_errors += one.server_errors;
    all.requests_per_second += one.requests_per_second;
    // Of several routes the slowest speaks: quantiles do not add.
    all.p50_seconds = std::max(all.p50_seconds, one.p50_seconds);
    all.p95_seconds = std::max(all.p95_seconds, one.p95_seconds);
    all.p99_seconds = std::max(all.p99_seconds, one.p99_seconds);
  }
  return all;
}

void Gateway::sample(Duration since_last) {
  for (const auto& route : table_.load()->routes) route->metrics->sample(since_last);
}

}  // namespace weft::gateway
