// The admin API's estate: resources, plan, apply, rollback, generations.
#pragma once

#include <functional>
#include <vector>

#include "app/api/call.h"
#include "estate/audit.h"
#include "estate/estate.h"

namespace weft::app {

// What an apply does outside the estate before it answers: streams are created, servers follow. The
// text is a warning for the caller, empty when all is well.
using Reconcile = std::function<Task<std::string>()>;

struct EstateRoutesParts {
  estate::Estate& estate;
  estate::AuditLog& audit;
  Reconcile reconcile;
};

// The parts outlive the routes.
std::vector<ApiRoute> estate_routes(EstateRoutesParts& parts);

}  // namespace weft::app
