#include "app/api/admin_api.h"

#include <algorithm>

#include "app/api/node_signature.h"
#include "base/json_members.h"
#include "estate/resource.h"
#include "http/api_key.h"
#include "runtime/log.h"

namespace weft::app {
namespace {

constexpr std::string_view kBase = "/api/v1";

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    auto end = path.find('/');
    segments.push_back(path.substr(0, end));
    if (end == std::string_view::npos) break;
    path.remove_prefix(end);
  }
  return segments;
}

// The captures of a template in a path, or absent when it does not fit.
std::optional<std::vector<std::string>> fit(std::string_view pattern, std::string_view path) {
  auto wanted = segments_of(pattern);
  auto given = segments_of(path);
  if (wanted.size() != given.size()) return std::nullopt;
  std::vector<std::string> captures;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].starts_with('{')) {
      auto decoded = http::percent_decode(given[i]);
      if (!decoded || decoded->empty()) return std::nullopt;
      captures.push_back(std::move(*decoded));
    } else if (wanted[i] != given[i]) {
      return std::nullopt;
    }
  }
  return captures;
}

bool changes_something(std::string_view method) {
  return method != "GET" && method != "HEAD";
}

// What nodes ask each other, and nothing else.
identity::PrincipalRef make_other_node() {
  std::vector<identity::Grant> grants;
  for (auto operation :
       {"listTraces", "getTrace", "listLogs", "listSubscriptions", "listDeliveries", "getDelivery"})
    grants.push_back({std::string(identity::action::kAdminRead), operation, "nodes"});
  return std::make_shared<const identity::Principal>(identity::make_principal(
      identity::PrincipalType::Service, "node", std::string(estate::kDefaultTenant),
      std::move(grants), identity::TenantScope::All));
}

void write_session(JsonWriter& out, const identity::Principal& principal) {
  out.object()
      .member("principal", principal.id)
      .member("tenant", principal.tenant)
      .key("roles")
      .array();
  for (const auto& grant : principal.grants) {
    if (grant.origin != identity::kOwnName) out.value(grant.origin);
  }
  out.end();
}

}  // namespace

struct AdminApi::Match {
  const ApiRoute* route = nullptr;
  std::vector<std::string> captures;
  bool path_known = false;
};

AdminApi::AdminApi(AdminApiParts parts, std::vector<ApiRoute> routes, StaticFiles files)
    : parts_(parts),
      routes_(std::move(routes)),
      files_(std::move(files)),
      sessions_(parts.clock, parts.random),
      other_node_(make_other_node()) {
  add_session_routes();
}

AdminApi::~AdminApi() = default;

void AdminApi::add_session_routes() {
  routes_.push_back({"POST", "/session", "createSession", "",
                     [this](ApiCall& call) { return create_session(call); }});
  routes_.push_back({"GET", "/session", "getSession", identity::action::kAdminRead,
                     [this](ApiCall& call) { return get_session(call); }});
  routes_.push_back({"DELETE", "/session", "deleteSession", "",
                     [this](ApiCall& call) { return delete_session(call); }});
}

std::vector<std::string> AdminApi::operations() const {
  std::vector<std::string> names;
  for (const auto& route : routes_) names.push_back(route.operation);
  std::sort(names.begin(), names.end());
  return names;
}

AdminApi::Match AdminApi::match(std::string_view method, std::string_view path) const {
  Match best;
  for (const auto& route : routes_) {
    auto captures = fit(route.path, path);
    if (!captures) continue;
    best.path_known = true;
    if (route.method == method) {
      best.route = &route;
      best.captures = std::move(*captures);
      return best;
    }
  }
  return best;
}

Result<identity::PrincipalRef> AdminApi::authenticate(const http::RequestHead& head) const {
  if (auto field = head.find("Authorization")) {
    if (field->starts_with(kNodeScheme)) return authenticate_node(*field, head.target);
    auto token = http::bearer_token_of(*field);
    if (token.empty()) {
      return fail(ErrorCode::Unauthenticated, "send \"Authorization: Bearer <token>\"");
    }
    return parts_.identity.authenticate_api_key(token);
  }
  if (auto id = session_cookie(head)) return authenticate_session(*id);
  return fail(ErrorCode::Unauthenticated,
              "send the admin token as \"Authorization: Bearer <token>\"");
}

Result<identity::PrincipalRef> AdminApi::authenticate_node(std::string_view field,
                                                           std::string_view target) const {
  CHECK(check_node_authorization(parts_.identity, field, target, parts_.clock.now()));
  return other_node_;
}

// A revoked key ends its sessions at once.
Result<identity::PrincipalRef> AdminApi::authenticate_session(std::string_view id) const {
  auto session = sessions_.find(id);
  if (!session) return fail(ErrorCode::Unauthenticated, "the session has ended; sign in again");
  auto principal = parts_.identity.authenticate_api_key(session->key);
  if (principal) return principal;
  sessions_.close(id);
  return fail(ErrorCode::Unauthenticated, "the session has ended: {}", principal.error().message);
}

std::optional<Session> AdminApi::session_of(const http::RequestHead& head) const {
  auto id = session_cookie(head);
  return id ? sessions_.find(*id) : std::nullopt;
}

std::optional<std::string_view> AdminApi::session_cookie(const http::RequestHead& head) const {
  auto cookies = head.find("Cookie");
  if (!cookies) return std::nullopt;
  auto secure = cookie_value(*cookies, secure_cookie_name(cookie_name_));
  return secure ? secure : cookie_value(*cookies, cookie_name_);
}

Result<> AdminApi::authorise(const identity::Principal& principal, const ApiRoute& route) const {
  identity::ResourceRef resource{principal.tenant, "AdminApi", route.operation};
  auto decision = decisions_.decide(principal, route.action, resource);
  if (!decision) {
    return fail(ErrorCode::PermissionDenied, "{}",
                decisions_.explain(decision, principal, route.action, resource));
  }
  auto is_operator =
      principal.scope == identity::TenantScope::All || principal.tenant == estate::kDefaultTenant;
  if (route.reach == Reach::Tenant || is_operator) return {};
  return fail(ErrorCode::PermissionDenied,
              "{} reaches what all tenants share; {} acts in tenant {} only", route.operation,
              principal.id, principal.tenant);
}

Task<Result<http::Response>> AdminApi::dispatch(ApiCall& call, const ApiRoute& route) {
  const auto& head = call.exchange.head();
  if (!route.action.empty()) {
    // A browser sends its cookie along with whatever another site makes it post; that field it does
    // not.
    auto is_change = changes_something(head.method) && route.operation != "planChange";
    if (is_change && !head.find("Authorization") && session_of(head) &&
        head.find("X-Weft-Csrf") != "1") {
      co_return http::problem(403, "CSRF_HEADER_MISSING",
                              "a change from a browser must carry X-Weft-Csrf: 1",
                              call.trace.trace_id_hex());
    }
    CO_TRY(call.principal, authenticate(head));
    CO_CHECK(authorise(*call.principal, route));
    call.from_node = call.principal == other_node_;
    call.check_again = [this, &head, &route]() -> Result<> {
      TRY(auto principal, authenticate(head));
      return authorise(*principal, route);
    };
  }
  call.query = http::parse_query(head.query);
  if (changes_something(head.method)) {
    auto body = co_await call.exchange.read_body(kBodyBytesMax);
    if (!body && body.error().code == ErrorCode::ResourceExhausted) {
      co_return http::problem(413, "BODY_TOO_LARGE", body.error().message,
                              call.trace.trace_id_hex());
    }
    CO_TRY(call.body, std::move(body));
  }
  co_return co_await route.handler(call);
}

Task<Result<http::Response>> AdminApi::answer(ApiCall& call) {
  const auto& head = call.exchange.head();
  if (!head.path.starts_with(kBase)) co_return co_await files_.serve(head);
  auto found = match(head.method, head.path.substr(kBase.size()));
  if (found.route == nullptr) {
    if (found.path_known) {
      co_return http::problem(405, "METHOD_NOT_ALLOWED",
                              fmt::format("{} is not offered here", head.method),
                              call.trace.trace_id_hex());
    }
    co_return fail(ErrorCode::NotFound, "no such path {}; GET /api/v1/openapi.json lists them",
                   head.path);
  }
  call.captures = std::move(found.captures);
  co_return co_await dispatch(call, *found.route);
}

Task<void> AdminApi::handle(http::Exchange& exchange) {
  ApiCall call(exchange);
  auto incoming = exchange.head().find("traceparent");
  auto parent = incoming ? TraceContext::parse(*incoming) : std::nullopt;
  call.trace = parent ? parent->child(parts_.random) : TraceContext::start(parts_.random);

  auto response = co_await answer(call);
  if (call.answered) co_return;
  if (!response) {
    if (http_status(response.error().code) >= 500) {
      log_error("admin", response.error().message,
                {{"trace_id", call.trace.trace_id_hex()}, {"path", exchange.head().path}});
    }
    response = problem_of(response.error(), call.trace);
  }
  auto sent = co_await exchange.respond(*response);
  if (!sent) log_debug("admin", "the answer could not be sent", {{"why", sent.error().message}});
}

Task<Result<http::Response>> AdminApi::create_session(ApiCall& call) {
  CO_CHECK(sessions_.check_attempt());
  CO_TRY(auto document, JsonDocument::parse(std::string(call.body)));
  const auto token = member_text(document.root(), "token");
  if (!token) {
    co_return fail(ErrorCode::InvalidArgument, "send {{\"token\": \"…\"}}");
  }
  auto principal = parts_.identity.authenticate_api_key(*token);
  if (!principal) {
    sessions_.count_failure();
    co_return std::unexpected(std::move(principal).error());
  }
  auto id = sessions_.open(std::string(*token));
  JsonWriter body;
  write_session(body, **principal);
  body.member("expiresAt", to_rfc3339(parts_.clock.now() + Sessions::kLifetime)).end();
  auto response = json_answer(std::move(body), 201);
  const bool is_tls = call.exchange.is_tls();
  response.add(
      "Set-Cookie",
      fmt::format("{}={}; Path=/api; HttpOnly; SameSite=Strict; Max-Age={}{}",
                  is_tls ? secure_cookie_name(cookie_name_) : cookie_name_, id,
                  std::chrono::seconds(std::chrono::hours(12)).count(), is_tls ? "; Secure" : ""));
  response.add("Cache-Control", "no-store");
  co_return response;
}

Task<Result<http::Response>> AdminApi::get_session(ApiCall& call) {
  JsonWriter body;
  write_session(body, *call.principal);
  auto is_cookie = !call.exchange.head().find("Authorization");
  if (auto session = session_of(call.exchange.head()); is_cookie && session) {
    body.member("expiresAt", to_rfc3339(session->expires));
  }
  body.end();
  co_return json_answer(std::move(body));
}

Task<Result<http::Response>> AdminApi::delete_session(ApiCall& call) {
  if (auto id = session_cookie(call.exchange.head())) sessions_.close(*id);
  http::Response response;
  response.status = 204;
  const bool is_tls = call.exchange.is_tls();
  response.add("Set-Cookie", fmt::format("{}=; Path=/api; HttpOnly; SameSite=Strict; Max-Age=0{}",
                                         is_tls ? secure_cookie_name(cookie_name_) : cookie_name_,
                                         is_tls ? "; Secure" : ""));
  co_return response;
}

}  // namespace weft::app
