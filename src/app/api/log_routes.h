// The admin API's log lines. Searching reads files, so it runs on a pool, not on a loop.
#pragma once

#include <vector>

#include "app/api/call.h"
#include "app/api/node_queries.h"
#include "runtime/clock.h"
#include "runtime/loops.h"
#include "telemetry/log_store.h"
#include "telemetry/trace_store.h"

namespace weft::app {

struct LogRoutesParts {
  telemetry::LogStore* logs;  // null: no lines are kept
  telemetry::TraceStore& traces;
  BlockingPool& pool;
  Clock& clock;
  const NodeQueries* nodes = nullptr;  // before the first request
};

// The parts outlive the routes.
std::vector<ApiRoute> log_routes(LogRoutesParts& parts);

}  // namespace weft::app
