// When the last record of a stream was stored. Read from the log, and read again only when a
// partition has grown, so that lists may be asked for every few seconds. Thread-safe.
#pragma once

#include <mutex>
#include <optional>
#include <unordered_map>

#include "eventlog/event_log.h"
#include "runtime/task.h"

namespace weft::app {

class LastRecords {
 public:
  explicit LastRecords(eventlog::EventLog& log) : log_(log) {}

  // The latest timestamp among the last records of its partitions; absent when they hold none.
  Task<std::optional<WallTime>> of(const eventlog::StreamInfo& stream);

 private:
  struct Last {
    eventlog::Offset end = 0;
    std::optional<WallTime> time;
  };
  Task<std::optional<WallTime>> of_partition(eventlog::PartitionId id);

  eventlog::EventLog& log_;
  std::mutex mutex_;
  std::unordered_map<eventlog::PartitionId, Last> known_;
};

}  // namespace weft::app
