// The admin API's list of the nodes that share a state database.
#pragma once

#include <vector>

#include "app/api/call.h"
#include "app/watch/node_registry.h"

namespace weft::app {

struct NodeRoutesParts {
  const NodeRegistry* registry = nullptr;  // before the first request
};

// The parts outlive the routes.
std::vector<ApiRoute> node_routes(NodeRoutesParts& parts);

}  // namespace weft::app
