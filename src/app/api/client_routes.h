// The admin API's clients with their keys and passwords.
#pragma once

#include <vector>

#include "app/api/call.h"
#include "estate/estate.h"
#include "identity/identity.h"
#include "runtime/loops.h"
#include "runtime/random.h"

namespace weft::app {

struct ClientRoutesParts {
  identity::Identity& identity;
  estate::Estate& estate;
  Random& random;
  BlockingPool& pool;  // where keys are derived from passwords
};

// The parts outlive the routes.
std::vector<ApiRoute> client_routes(ClientRoutesParts& parts);

}  // namespace weft::app
