// The admin API's streams and records: list, describe, read, tail, and one record appended as a
// test.
#pragma once

#include <vector>

#include "app/api/call.h"
#include "app/api/last_records.h"
#include "app/watch/stream_rates.h"
#include "delivery/deliveries.h"
#include "eventlog/event_log.h"
#include "eventlog/kafka/groups/coordinator.h"
#include "eventlog/streams.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "runtime/spans.h"

namespace weft::app {

struct StreamRoutesParts {
  eventlog::EventLog& log;
  const eventlog::StreamCatalogue& streams;
  kafka::GroupCoordinator* groups;  // null where others coordinate the groups
  delivery::Deliveries& delivery;
  Clock& clock;
  Random& random;
  SpanSink& spans;
  const StreamRates& rates;
  LastRecords& last_records;
};

// The parts outlive the routes.
std::vector<ApiRoute> stream_routes(StreamRoutesParts& parts);

}  // namespace weft::app
