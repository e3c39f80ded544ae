// The admin API's consumer groups: list, describe, reset with a preview, delete.
#pragma once

#include <vector>

#include "app/api/call.h"
#include "app/watch/lag_watch.h"
#include "estate/audit.h"
#include "eventlog/event_log.h"
#include "eventlog/kafka/groups/coordinator.h"
#include "eventlog/streams.h"
#include "runtime/clock.h"

namespace weft::app {

struct GroupRoutesParts {
  eventlog::EventLog& log;
  const eventlog::StreamCatalogue& streams;
  kafka::GroupCoordinator* groups;  // null where a cluster coordinates them: then Unsupported
  const LagWatch& lag;
  estate::AuditLog& audit;
  Clock& clock;
};

// The parts outlive the routes.
std::vector<ApiRoute> group_routes(GroupRoutesParts& parts);

}  // namespace weft::app
