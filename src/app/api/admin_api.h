// The admin API and the hub's files on one listener: /api/v1 by the routes that app assembles,
// everything else from the hub's folder. Contract: admin.openapi.yaml. Any loop.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/api/call.h"
#include "app/api/sessions.h"
#include "app/api/static_files.h"
#include "http/server.h"
#include "identity/decisions.h"
#include "identity/identity.h"
#include "runtime/spans.h"

namespace weft::app {

struct AdminApiParts {
  identity::Identity& identity;
  Clock& clock;
  Random& random;
  SpanSink& spans;
};

class AdminApi final : public http::Handler {
 public:
  static constexpr std::uint64_t kBodyBytesMax = 16 * 1024 * 1024;

  AdminApi(AdminApiParts parts, std::vector<ApiRoute> routes, StaticFiles files);
  ~AdminApi() override;

  Task<void> handle(http::Exchange& exchange) override;

  // The port that it is served on, for the session cookie's name. Before the first request.
  void set_port(std::uint16_t port) { cookie_name_ = session_cookie_name(port); }

  // The operations that are served, sorted; a test compares them with the contract.
  std::vector<std::string> operations() const;

 private:
  struct Match;
  Task<Result<http::Response>> answer(ApiCall& call);
  Task<Result<http::Response>> dispatch(ApiCall& call, const ApiRoute& route);
  Match match(std::string_view method, std::string_view path) const;
  Result<identity::PrincipalRef> authenticate(const http::RequestHead& head) const;
  Result<identity::PrincipalRef> authenticate_session(std::string_view id) const;
  Result<identity::PrincipalRef> authenticate_node(std::string_view field,
                                                   std::string_view target) const;
  std::optional<Session> session_of(const http::RequestHead& head) const;
  std::optional<std::string_view> session_cookie(const http::RequestHead& head) const;
  Result<> authorise(const identity::Principal& principal, const ApiRoute& route) const;
  void add_session_routes();

  Task<Result<http::Response>> create_session(ApiCall& call);
  Task<Result<http::Response>> get_session(ApiCall& call);
  Task<Result<http::Response>> delete_session(ApiCall& call);

  AdminApiParts parts_;
  std::vector<ApiRoute> routes_;
  StaticFiles files_;
  mutable Sessions sessions_;
  identity::Decisions decisions_;
  const identity::PrincipalRef other_node_;  // who another node is here
  std::string cookie_name_ = session_cookie_name(8080);
};

}  // namespace weft::app
