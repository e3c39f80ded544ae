// The admin API's subscriptions and deliveries.
#pragma once

#include <vector>

#include "app/api/call.h"
#include "app/api/node_queries.h"
#include "delivery/deliveries.h"
#include "estate/audit.h"

namespace weft::app {

struct DeliveryRoutesParts {
  delivery::Deliveries& delivery;
  estate::AuditLog& audit;
  const NodeQueries* nodes = nullptr;  // that share the deliveries; null: this node makes them all
};

// The parts outlive the routes.
std::vector<ApiRoute> delivery_routes(DeliveryRoutesParts& parts);

}  // namespace weft::app
