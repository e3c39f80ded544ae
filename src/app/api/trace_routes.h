// The admin API's traces. Searching reads the whole store, so it runs on a pool, not on a loop.
#pragma once

#include <vector>

#include "app/api/call.h"
#include "app/api/node_queries.h"
#include "runtime/clock.h"
#include "runtime/loops.h"
#include "telemetry/trace_store.h"

namespace weft::app {

struct TraceRoutesParts {
  telemetry::TraceStore& traces;
  BlockingPool& pool;
  Clock& clock;
  const NodeQueries* nodes = nullptr;  // before the first request
};

// The parts outlive the routes.
std::vector<ApiRoute> trace_routes(TraceRoutesParts& parts);

}  // namespace weft::app
