// The admin API's clients and their keys.
#pragma once

#include <vector>

#include "app/api/call.h"
#include "estate/estate.h"
#include "identity/identity.h"

namespace weft::app {

struct ClientRoutesParts {
  identity::Identity& identity;
  estate::Estate& estate;
};

// The parts outlive the routes.
std::vector<ApiRoute> client_routes(ClientRoutesParts& parts);

}  // namespace weft::app
