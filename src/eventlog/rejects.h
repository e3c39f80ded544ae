// What the doors refused, or put aside, because it breaks its stream's contract: for the people who
// have to find out why (`weft stream rejects`). One entry per batch, durable within a second in the
// internal stream __weft.rejects, bounded in rate and size; the values themselves are not kept
// here.
//
//   Rejects rejects(log, clock, metrics);
//   chores.spawn(rejects.run());
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eventlog/event_log.h"
#include "runtime/clock.h"
#include "runtime/metrics.h"
#include "runtime/task.h"

namespace weft::eventlog {

inline constexpr std::string_view kRejectsStream = "__weft.rejects";

struct Reject {
  WallTime at{};
  std::string tenant;
  std::string stream;
  std::int32_t partition = -1;  // -1: not known yet at that door
  std::string door;             // "kafka", "events"
  std::string principal;
  std::string client;        // client.id of a Kafka client
  std::string outcome;       // "refused" or "quarantined"
  std::uint64_t sent = 0;    // records of the batch
  std::uint64_t broken = 0;  // of these break the contract
  std::int64_t index = 0;    // of the first one
  std::string reason;        // of the first one
};

class Rejects {
 public:
  static constexpr Duration kStep = std::chrono::milliseconds(500);
  static constexpr std::size_t kPerStepMax = 200;  // more are counted, not kept

  Rejects(EventLog& log, Clock& clock, Metrics& metrics);

  // Any thread; never waits.
  void note(Reject reject);

  // Makes the stream when it is missing. Once, before run().
  Task<Result<>> start();
  // Writes what was noted until its task is cancelled.
  Task<void> run();
  Task<void> flush();

  // The latest of a stream, newest first. Scans at most the last 10,000 of all streams.
  Task<Result<std::vector<Reject>>> latest(std::string tenant, std::string stream,
                                           std::size_t limit) const;

 private:
  EventLog& log_;
  Clock& clock_;
  Counter& dropped_;
  StreamId stream_{};
  std::mutex mutex_;
  std::vector<Reject> noted_;
};

}  // namespace weft::eventlog
