// How far consumer groups and subscriptions are behind the streams that they read.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/time.h"
#include "delivery/delivery_types.h"
#include "eventlog/event_log.h"
#include "eventlog/kafka/groups/coordinator.h"
#include "runtime/task.h"

namespace weft::app {

struct ReaderPosition {
  eventlog::PartitionId partition;
  std::string stream;         // of a consumer group; else empty
  eventlog::Offset next = 0;  // the record that it reads next
  std::int64_t lag = 0;       // records from there to the end
};

// A consumer group, or a subscription.
struct Reader {
  std::string name;
  bool is_subscription = false;
  std::string state;  // of a consumer group
  std::size_t members = 0;
  std::vector<ReaderPosition> positions;  // in streams that exist
  std::optional<Duration> behind;         // of a subscription, when it waits for something

  std::int64_t lag() const;  // records, over all positions
};

// All groups of a tenant with their positions; `groups` is null where others coordinate them.
Task<std::vector<Reader>> consumer_groups(const eventlog::EventLog& log,
                                          kafka::GroupCoordinator* groups, std::string tenant);
Reader reader_of(const delivery::SubscriptionStatus& subscription);

// When the record was stored that a position reads next; absent when there is none.
Task<std::optional<WallTime>> time_of_next(eventlog::EventLog& log, ReaderPosition position);
// How old the oldest record is that the reader has not read; zero when it has read all of them.
Task<Duration> time_behind(eventlog::EventLog& log, WallTime now,
                           std::vector<ReaderPosition> positions);

// Schema Group of admin.openapi.yaml.
void write_reader(JsonWriter& out, const Reader& reader, Duration behind);

}  // namespace weft::app
