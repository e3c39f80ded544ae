// The admin API's replay: stored records, once more for the readers of another stream.
#pragma once

#include <vector>

#include "app/api/call.h"
#include "estate/audit.h"
#include "eventlog/event_log.h"
#include "eventlog/quotas.h"
#include "eventlog/streams.h"
#include "runtime/clock.h"

namespace weft::app {

struct ReplayRoutesParts {
  eventlog::EventLog& log;
  const eventlog::StreamCatalogue& streams;
  eventlog::Quotas& quotas;
  estate::AuditLog& audit;
  Clock& clock;
};

// The parts outlive the routes.
std::vector<ApiRoute> replay_routes(ReplayRoutesParts& parts);

}  // namespace weft::app
