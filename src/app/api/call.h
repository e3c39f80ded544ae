// One call of the admin API as a handler sees it: routed, authenticated, with its parameters read
// and checked. Lives on the connection's loop until the handler's task returns.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/result.h"
#include "base/time.h"
#include "http/message.h"
#include "http/server.h"
#include "identity/principal.h"
#include "runtime/spans.h"
#include "runtime/task.h"

namespace weft::app {

struct ApiCall {
  explicit ApiCall(http::Exchange& of) : exchange(of) {}

  http::Exchange& exchange;
  std::vector<std::string> captures;  // path parameters in order, decoded
  std::vector<std::pair<std::string, std::string>> query;
  std::string_view body;  // of POST, PUT; valid until the handler returns
  identity::PrincipalRef principal;
  TraceContext trace;
  bool from_node = false;  // another node of the same state database asks, for its caller
  // Whether the caller would still be let in; for handlers whose answer goes on and on.
  std::function<Result<>()> check_again = [] { return Result<>(); };
  // The handler has written its answer itself (server-sent events).
  bool answered = false;

  std::string_view tenant() const { return principal->tenant; }
  // The one tenant whose things the caller may see and change; empty for who acts in all.
  std::string confined_to() const;
  std::optional<std::string_view> parameter(std::string_view name) const;
  // Absent when not given; InvalidArgument names the parameter and its bounds.
  Result<std::optional<std::int64_t>> integer(std::string_view name, std::int64_t least,
                                              std::int64_t most) const;
  Result<bool> flag(std::string_view name) const;  // false when not given
  // ?limit=, 1 to 500, 50 when not given.
  Result<std::size_t> limit() const;
};

using ApiHandler = std::function<Task<Result<http::Response>>(ApiCall&)>;

// What a call can reach beside the caller's own tenant.
enum class Reach : std::uint8_t {
  Tenant,  // nothing; the handler sees to it
  Node,    // what all tenants share: only for the tenant "default", which is the operator's
};

// Who may call: anybody, or principals that the action is granted to.
struct ApiRoute {
  std::string method;
  std::string path;         // "/streams/{stream}" behind /api/v1
  std::string operation;    // operationId of admin.openapi.yaml
  std::string_view action;  // identity::action; empty: no credentials needed
  ApiHandler handler;
  Reach reach = Reach::Tenant;
};

http::Response json_answer(JsonWriter body, int status = 200);

// The answer to a failure: status and code by the error's code, message as it is.
http::Response problem_of(const Error& error, const TraceContext& trace);
int http_status(ErrorCode code);

// A moment, or how long ago it was: "2026-03-01T12:00:00Z", "15m". Absent when not given.
Result<std::optional<WallTime>> read_moment(const ApiCall& call, std::string_view name,
                                            WallTime now);

// A cursor that carries text opaquely, and back.
std::string make_cursor(std::string_view position);
Result<std::string> read_cursor(const ApiCall& call);  // empty when not given

}  // namespace weft::app
