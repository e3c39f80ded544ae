// The admin API's list of gateway routes with their traffic.
#pragma once

#include <vector>

#include "app/api/call.h"
#include "gateway/gateway.h"
#include "runtime/metrics.h"

namespace weft::app {

struct GatewayRoutesParts {
  const gateway::Gateway& gateway;
};

// The parts outlive the routes.
std::vector<ApiRoute> gateway_routes(GatewayRoutesParts& parts);

}  // namespace weft::app
