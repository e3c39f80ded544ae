#include "app/api/node_routes.h"

#include "identity/decisions.h"

namespace weft::app {
namespace {

std::string_view state_of(const NodeEntry& node) {
  if (node.is_self) return "this";
  return node.is_gone ? "gone" : "up";
}

Task<Result<http::Response>> list_nodes(const NodeRoutesParts& parts) {
  JsonWriter out;
  out.object().key("items").array();
  for (const auto& node : parts.registry->nodes()) {
    out.object()
        .member("name", node.name)
        .member("state", state_of(node))
        .member("url", node.url)
        .member("roles", node.roles)
        .member("version", node.version)
        .member("startedAt", to_rfc3339(node.started))
        .member("seenAt", to_rfc3339(node.seen))
        .end();
  }
  out.end().end();
  co_return json_answer(std::move(out));
}

}  // namespace

std::vector<ApiRoute> node_routes(NodeRoutesParts& parts) {
  return {{"GET", "/nodes", "listNodes", identity::action::kAdminRead,
           [&parts](ApiCall&) { return list_nodes(parts); }, Reach::Node}};
}

}  // namespace weft::app
