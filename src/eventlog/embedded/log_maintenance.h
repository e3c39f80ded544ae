// The log's background: places sealed files, prepares the next write-ahead file, applies retention,
// watches the free space, merges small segments, writes the manifest. Runs on the background loop.
//
// A step that fails is reported and tried again in the next round; nothing of it is visible before
// its manifest is durable. After the log has stopped, nothing is written any more.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "eventlog/embedded/log_archiver.h"
#include "eventlog/embedded/log_compaction.h"
#include "eventlog/embedded/log_context.h"
#include "eventlog/embedded/log_copy.h"
#include "eventlog/embedded/log_placement.h"
#include "eventlog/embedded/log_reader.h"
#include "eventlog/embedded/log_writer.h"
#include "runtime/channel.h"

namespace weft::eventlog {

class LogMaintenance {
 public:
  LogMaintenance(LogContext& context, LogWriter& writer, LogReader& reader, Executor loop);

  // Before run(): what recovery found. Removes files that belong to nothing.
  Task<Result<>> start(std::uint64_t next_segment, std::vector<std::uint64_t> segments,
                       std::vector<std::uint64_t> unreadable);
  Task<void> run();
  // Ends run() after the present round.
  void close() { mailbox_.close(); }
  // From any thread: there is something to do.
  void signal();
  // A whole round, awaited; any loop.
  Task<Result<>> round();
  // The log's files as of now, which stay as they are until end_copy(): none is removed or used
  // again. Conflict while another copy is made. Any loop.
  Task<Result<LogCopy>> begin_copy();
  Task<Result<>> end_copy();
  LogArchiver& archiver() { return archiver_; }
  // The numbers of those on disk that can be read. On the background loop.
  std::vector<std::uint64_t> segments() const;

 private:
  enum class Wish : std::uint8_t { Round, BeginCopy, EndCopy };
  struct Request {
    Request(Executor executor, Wish what) : caller(executor), wish(what) {}
    Executor caller;
    Wish wish;
    Suspension done;
    Result<> outcome;
    LogCopy copy;
  };

  Task<Result<>> ask(Request& request);
  Task<Result<>> serve(Request& request);
  Task<Result<>> list_copy(LogCopy& copy);

  Task<Result<>> work(bool whole);
  Task<Result<>> check_space();
  Task<Result<>> place_sealed();
  Task<Result<>> prepare_spare();
  Task<Result<>> apply_retention();
  Task<Result<>> seal_when_old();
  Task<Result<>> merge_small();
  Task<Result<>> compact_all();
  Task<Result<>> write_manifest();
  Task<void> remove_dead_segments(const std::vector<std::uint64_t>& live);
  void retire_placed();
  Task<Result<>> remove_unneeded();
  Task<Result<>> remove_wal(const SealedWal& file);
  Task<Result<>> recycle(const SealedWal& file);
  Task<Result<std::vector<SealedWal>>> find_unarchived();
  Task<void> discard(std::vector<std::uint64_t> segments);
  Task<Result<std::vector<SealedWal>>> sealed();
  std::map<std::uint64_t, std::uint64_t> live_bytes() const;

  LogContext& context_;
  LogWriter& writer_;
  LogReader& reader_;
  LogArchiver archiver_;
  LogCompaction compaction_;
  Mailbox<Request*> mailbox_;
  std::uint64_t next_segment_ = 1;
  std::map<std::uint64_t, std::uint64_t>
      segments_;  // on disk and readable: number, bytes of batches
  std::vector<std::uint64_t> unreadable_;
  std::vector<SealedWal> to_retire_;   // placed, to go when a manifest says so
  std::vector<SealedWal> to_recycle_;  // neither a manifest nor the archive needs them
  std::vector<SealedWal> to_remove_;   // given up while the archive may be reading them
  bool is_copied_ = false;             // between begin_copy() and end_copy()
  bool spare_ready_ = false;
  bool manifest_due_ = false;
  MonoTime next_round_{};
};

}  // namespace weft::eventlog
