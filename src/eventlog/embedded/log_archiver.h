// Hands sealed write-ahead files to the archive, in their order, and says which may go. Background
// loop only, apart from status(), which any thread may call.
//
// A file that cannot be archived waits, and is tried again; the log goes on meanwhile. When more
// waits than options.archive_waiting_bytes_max, the oldest is given up: the archive then has a gap,
// which is reported, and a restore to a moment behind it needs a newer backup.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <vector>

#include "eventlog/embedded/archive_status.h"
#include "eventlog/embedded/log_context.h"
#include "eventlog/embedded/wal_writer.h"
#include "runtime/channel.h"

namespace weft::eventlog {

class LogArchiver {
 public:
  LogArchiver(LogContext& context, Executor loop) : context_(context), mailbox_(loop, kOffersMax) {}

  bool is_on() const { return context_.options.archive != nullptr; }
  // Called when a file was archived.
  void set_signal(std::function<void()> signal) { signal_ = std::move(signal); }
  void offer(const SealedWal& file);
  Task<void> run();
  // Ends run() after the present attempt; what waits is offered again after the next start.
  void close() { mailbox_.close(); }

  struct Released {
    std::vector<SealedWal> archived;
    std::vector<SealedWal> given_up;  // may be open for reading: remove it, do not write to it
  };
  // What the archive needs no more, since the last call.
  Released take_released();
  ArchiveStatus status() const;

 private:
  static constexpr std::size_t kOffersMax =
      1'000'000;  // one is 24 bytes; the backlog has its own limit

  Task<Result<>> keep_first();
  void tell(const SealedWal& file, const Result<>& outcome);
  std::uint64_t waiting_bytes() const;

  LogContext& context_;
  Mailbox<SealedWal> mailbox_;  // wakes run(); holds what is new
  std::function<void()> signal_;
  std::deque<SealedWal> waiting_;
  std::vector<SealedWal> archived_;
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> gaps_{0};
  std::atomic<std::int64_t> failing_since_ms_{0};  // 0: not
};

}  // namespace weft::eventlog
