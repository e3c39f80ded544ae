// How fast each stream grows: the ends of its partitions, marked every few seconds for a minute.
// Thread-safe; sample() is called by one task.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <unordered_map>

#include "base/time.h"
#include "eventlog/event_log.h"

namespace weft::app {

class StreamRates {
 public:
  static constexpr Duration kWindow = std::chrono::seconds(60);

  // How many records all streams that are not internal have ever taken.
  std::uint64_t sample(MonoTime now, const eventlog::EventLog& log);
  // Records per second, from the oldest mark of the last minute to `now`. A stream that came after
  // the last sample counts from that sample on.
  double per_second(MonoTime now, const eventlog::EventLog& log, eventlog::StreamId stream) const;

 private:
  struct Mark {
    MonoTime at{};
    std::int64_t end = 0;  // of all its partitions together
  };

  mutable std::mutex mutex_;
  std::unordered_map<eventlog::StreamId, std::deque<Mark>> marks_;
  MonoTime last_sample_{};
};

}  // namespace weft::app
