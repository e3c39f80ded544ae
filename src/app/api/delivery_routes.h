// The admin API's subscriptions and deliveries.
#pragma once

#include <vector>

#include "app/api/call.h"
#include "delivery/delivery_service.h"
#include "estate/audit.h"

namespace weft::app {

struct DeliveryRoutesParts {
  delivery::DeliveryService& delivery;
  estate::AuditLog& audit;
};

// The parts outlive the routes.
std::vector<ApiRoute> delivery_routes(DeliveryRoutesParts& parts);

}  // namespace weft::app
