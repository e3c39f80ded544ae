// The admin API's records that broke a contract: what was refused, and what is in quarantine.
#pragma once

#include <vector>

#include "app/api/call.h"
#include "estate/audit.h"
#include "eventlog/batch_log.h"
#include "eventlog/event_log.h"
#include "eventlog/rejects.h"
#include "eventlog/streams.h"

namespace weft::app {

struct QuarantineRoutesParts {
  eventlog::EventLog& log;
  eventlog::BatchLog* batches;  // null: the streams are in a cluster, which has no quarantine
  const eventlog::StreamCatalogue& streams;
  const eventlog::Rejects& rejects;
  estate::AuditLog& audit;
};

// The parts outlive the routes.
std::vector<ApiRoute> quarantine_routes(QuarantineRoutesParts& parts);

}  // namespace weft::app
