// The scrub of a running log: reads its segments again, slowly, and checks every checksum, so that
// a medium that loses bits is known while a backup still has them. What it finds is in the log, in
// the metrics weft_log_scrub_… and in status(); readers see a hole there, as in any damage, and
// what was found intact they need not check again. Runs on the background loop.
#pragma once

#include <atomic>
#include <cstdint>

#include "eventlog/embedded/log_context.h"
#include "eventlog/embedded/log_maintenance.h"
#include "eventlog/embedded/segment_check.h"

namespace weft::eventlog {

class LogScrub {
 public:
  LogScrub(LogContext& context, const LogMaintenance& maintenance);

  // A pass, a rest until scrub_interval after its beginning, and so on, until its task is
  // cancelled.
  Task<void> run();
  // All segments that there are now. The error is that of the task's cancellation.
  Task<Result<>> pass();

  std::uint64_t damaged() const { return damaged_.load(); }  // of the last pass; any thread

 private:
  void tell_readers(std::uint64_t segment, const SegmentCheck& checked);
  Task<Result<std::uint64_t>> look_at(std::uint64_t segment, Pacer& pacer);

  LogContext& context_;
  const LogMaintenance& maintenance_;
  std::atomic<std::uint64_t> damaged_{0};
};

}  // namespace weft::eventlog
