#include "eventlog/embedded/log_archiver.h"

#include <algorithm>

#include "eventlog/embedded/wal_archive.h"
#include "runtime/log.h"
#include "runtime/with_timeout.h"

namespace weft::eventlog {

void LogArchiver::offer(const SealedWal& file) {
  if (file.holds_nothing()) return archived_.push_back(file);
  waiting_.push_back(file);
  bytes_ = waiting_bytes();
  auto wake = file;
  [[maybe_unused]] bool closed_means_next_start = mailbox_.push(wake);
}

std::uint64_t LogArchiver::waiting_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& file : waiting_) bytes += file.bytes();
  context_.metrics.archive_waiting_bytes.set(static_cast<std::int64_t>(bytes));
  return bytes;
}

Task<void> LogArchiver::run() {
  for (;;) {
    if (waiting_.empty()) {
      auto taken = co_await mailbox_.take();
      if (!taken || taken->empty()) co_return;
      continue;
    }
    auto kept = co_await keep_first();
    if (kept) continue;
    auto pause =
        with_timeout(context_.clock, context_.options.maintenance_interval, mailbox_.take());
    auto taken = co_await std::move(pause);
    bool closed = taken ? taken->empty() : taken.error().code != ErrorCode::DeadlineExceeded;
    if (closed) co_return;
  }
}

Task<Result<>> LogArchiver::keep_first() {
  auto file = waiting_.front();
  WalToKeep job{file.sequence, context_.wal_path(file.sequence), file.bytes(), file.end};
  auto kept = co_await context_.options.archive->keep(std::move(job));
  tell(file, kept);
  if (!kept) co_return kept;
  context_.metrics.archived_files.add();
  // It may have been given up meanwhile.
  if (!waiting_.empty() && waiting_.front().sequence == file.sequence) {
    waiting_.pop_front();
    archived_.push_back(file);
    bytes_ = waiting_bytes();
  }
  if (signal_) signal_();
  co_return Result<>();
}

void LogArchiver::tell(const SealedWal& file, const Result<>& outcome) {
  auto now = to_unix_ms(context_.clock.now());
  auto before = outcome ? failing_since_ms_.exchange(0) : failing_since_ms_.load();
  if (outcome) {
    if (before != 0) log_info("eventlog", "the archive takes write-ahead files again", {});
    return;
  }
  context_.metrics.archive_failures.add();
  if (before != 0) return;
  failing_since_ms_ = now;
  log_error("eventlog", "a write-ahead file cannot be archived; it waits and is tried again",
            {{"file", context_.wal_path(file.sequence)}, {"error", outcome.error().message}});
}

LogArchiver::Released LogArchiver::take_released() {
  Released released;
  released.archived = std::exchange(archived_, {});
  while (!waiting_.empty() && bytes_ > context_.options.archive_waiting_bytes_max) {
    auto file = waiting_.front();
    waiting_.pop_front();
    bytes_ = waiting_bytes();
    ++gaps_;
    context_.metrics.archive_gaps.add();
    log_error("eventlog",
              "too much waits for the archive: a write-ahead file is given up; take a new backup",
              {{"file", context_.wal_path(file.sequence)},
               {"from", file.first_position},
               {"to", file.end},
               {"limit", context_.options.archive_waiting_bytes_max}});
    released.given_up.push_back(file);
  }
  return released;
}

ArchiveStatus LogArchiver::status() const {
  ArchiveStatus status;
  status.waiting_bytes = bytes_;
  status.gaps = gaps_;
  auto since = failing_since_ms_.load();
  if (since != 0) status.failing_since = from_unix_ms(since);
  return status;
}

}  // namespace weft::eventlog
