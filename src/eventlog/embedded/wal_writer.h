// The write-ahead file that is being written, and its successor. Log thread only.
//
// The successor is prepared in the background (zeroed or recycled, so that a sync commits no
// metadata) and handed in; without one, a roll reserves a new file. After a failed write or sync
// only a restart helps.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "eventlog/core/log_wal_format.h"
#include "eventlog/embedded/log_context.h"
#include "runtime/disk.h"
#include "runtime/task.h"

namespace weft::eventlog {

// A file that is full.
struct SealedWal {
  std::uint64_t sequence = 0;
  WalPosition first_position = 0;
  WalPosition end = 0;  // the next file goes on here

  // From its beginning; what stands behind them is no part of the log.
  std::uint64_t bytes() const {
    return kWalHeaderBytes + (holds_nothing() ? 0 : end - first_position);
  }
  // Its header and first group were torn, and what a start found of it is in the next file.
  bool holds_nothing() const { return end < first_position; }
};

struct WalStart {
  std::uint64_t sequence = 1;
  WalPosition position = 0;
  WalPosition previous_end = 0;  // where the file before ends
  std::uint32_t epoch = 1;
  std::int32_t leader_epoch = 0;
  WalFileState state = WalFileState::Active;
};

class WalWriter {
 public:
  explicit WalWriter(LogContext& context) : context_(context) {}

  // The first file of this process; its header is durable when this returns, so that no later
  // process takes the same epoch.
  Task<Result<>> start(WalStart start);
  // Ends the preparation: from now on the file before ends where this one begins.
  Task<Result<>> activate();
  Task<Result<>> write(WalGroup& group);
  Task<Result<>> sync() { return file_->sync(); }
  // Goes on in the next file. ResourceExhausted when there is no space for it: the present one
  // stays.
  Task<Result<>> roll();

  // Takes the prepared file `wal/spare` as the next one. Without it, or on failure, a roll makes
  // its own.
  Task<Result<>> adopt_spare();

  std::uint64_t sequence() const { return sequence_; }
  WalPosition first_position() const { return first_position_; }
  WalPosition previous_end() const { return previous_end_; }
  WalPosition position() const { return position_; }
  std::uint32_t epoch() const { return start_.epoch; }
  std::int32_t leader_epoch() const { return start_.leader_epoch; }
  std::uint64_t room() const { return context_.options.wal_file_bytes - offset_; }
  bool empty() const { return offset_ == kWalHeaderBytes; }
  MonoTime begun() const { return begun_; }
  std::uint32_t file_offset(WalPosition position) const {
    return static_cast<std::uint32_t>(position - first_position_ + kWalHeaderBytes);
  }

  bool wants_spare() const { return !spare_ && offset_ > context_.options.wal_file_bytes / 2; }
  bool has_spare() const { return spare_ != nullptr; }

 private:
  std::string header() const;
  Task<Result<>> write_header();
  Task<Result<bool>> take_spare_for(std::uint64_t sequence);

  LogContext& context_;
  WalStart start_;
  std::unique_ptr<File> file_;
  std::unique_ptr<File> spare_;
  std::string header_;  // of the present file, until its first write
  std::uint64_t sequence_ = 0;
  WalPosition first_position_ = 0;
  WalPosition previous_end_ = 0;
  WalPosition position_ = 0;
  std::uint64_t offset_ = kWalHeaderBytes;
  MonoTime begun_{};
};

// Fills the file with zeros up to `bytes` and makes that durable.
Task<Result<>> fill_with_zeros(File& file, std::uint64_t bytes);

}  // namespace weft::eventlog
