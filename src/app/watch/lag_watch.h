// How far each consumer group is behind, looked at every ten seconds: for metrics, for the alert
// that says that a group stands still, and as a short history. Thread-safe; sample() by one task.
//
// Metrics: weft_eventlog_group_lag_records per tenant, group, stream and partition,
// weft_eventlog_group_lag_seconds per tenant, group and stream, weft_eventlog_group_lag_alert per
// tenant and group. A group that is gone stays at 0 until the node starts again.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/watch/group_lag.h"
#include "eventlog/streams.h"
#include "runtime/clock.h"
#include "runtime/metrics.h"

namespace weft::app {

struct LagPoint {
  WallTime at{};
  std::int64_t records = 0;
  Duration behind{};
};

struct WatchedGroup {
  std::string name;
  std::size_t members = 0;
  std::int64_t records = 0;
  Duration behind{};                    // age of the oldest record that it has not read
  std::string furthest_stream;          // where that record is
  std::optional<WallTime> alert_since;  // behind for longer than the limit
  std::deque<LagPoint> history;         // oldest first
};

struct LagWatchOptions {
  Duration alert_after = std::chrono::seconds(30);  // zero: never
  std::size_t series_max = 10'000;                  // of the metric per partition
};

class LagWatch {
 public:
  static constexpr Duration kStep = std::chrono::seconds(10);
  static constexpr std::size_t kHistoryMax = 90;

  LagWatch(eventlog::EventLog& log, const eventlog::StreamCatalogue& streams,
           kafka::GroupCoordinator* groups, Clock& clock, Metrics& metrics,
           LagWatchOptions options);

  // Looks every kStep until its task is cancelled.
  Task<void> run();
  Task<void> sample();

  std::vector<WatchedGroup> of_tenant(std::string_view tenant) const;  // sorted by name
  std::optional<WatchedGroup> find(std::string_view tenant, std::string_view group) const;

 private:
  using Key = std::pair<std::string, std::string>;  // tenant, group
  struct Stamp {
    eventlog::Offset next = -1;
    WallTime time{};
  };
  using Stamps = std::map<std::pair<Key, eventlog::PartitionId>, Stamp>;

  Task<WatchedGroup> look_at(Key key, Reader reader, Stamps& stamps);
  void show(const Key& key, const Reader& reader, const WatchedGroup& group);
  void set_partition_gauge(const Key& key, const ReaderPosition& position);
  void settle_alert(const Key& key, WatchedGroup& group, const WatchedGroup* before);
  void forget_gone(const std::map<Key, WatchedGroup>& now);

  eventlog::EventLog& log_;
  const eventlog::StreamCatalogue& streams_;
  kafka::GroupCoordinator* groups_;  // null where others coordinate the groups
  Clock& clock_;
  Metrics& metrics_;
  const LagWatchOptions options_;
  // Of the sampling task alone.
  Stamps stamps_;
  std::map<std::tuple<std::string, std::string, std::string, std::int32_t>, Gauge*> partitions_;
  std::map<Key, std::vector<Gauge*>> gauges_;  // of a group, to be set to 0 when it is gone

  mutable std::mutex mutex_;
  std::map<Key, WatchedGroup> watched_;
};

}  // namespace weft::app
