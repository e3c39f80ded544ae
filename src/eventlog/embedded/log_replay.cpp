// Replay of one write-ahead file: where it ends, and what is damage.
#include <algorithm>

#include "eventlog/embedded/log_recovery.h"
#include "runtime/log.h"

namespace weft::eventlog {

namespace {

constexpr std::size_t kWindowBytes = 1024 * 1024;

// The first whole entry at or after `at` in the file whose position fits; absent when there is
// none.
Task<Result<std::optional<std::uint64_t>>> find_entry(FileWindow& window, std::uint64_t at,
                                                      std::uint64_t bytes, WalPosition position,
                                                      std::uint32_t epoch_min) {
  const auto base = at;
  while (at + kWalEntryHeaderBytes <= bytes) {
    CO_TRY(auto chunk, co_await window.view(at, kWindowBytes));
    auto end = chunk.size() - kWalEntryHeaderBytes + 1;
    std::optional<std::size_t> candidate;
    for (std::size_t in = 0; in < end && !candidate; in += kWalAlignment) {
      if (claimed_wal_entry_bytes(chunk.substr(in), position + (at - base) + in) != 0)
        candidate = in;
    }
    if (!candidate) {
      at += (end + kWalAlignment - 1) / kWalAlignment * kWalAlignment;
      continue;
    }
    at += *candidate;
    auto size = claimed_wal_entry_bytes(chunk.substr(*candidate), position + (at - base));
    CO_TRY(auto whole, co_await window.view(at, size));
    if (read_wal_entry(whole, position + (at - base), epoch_min)) {
      co_return std::optional<std::uint64_t>(at);
    }
    at += kWalAlignment;
  }
  co_return std::optional<std::uint64_t>();
}

struct EntryAt {
  std::optional<WalEntry> entry;
  std::size_t claimed = 0;
};

Task<Result<EntryAt>> entry_at(FileWindow& window, std::uint64_t at, WalPosition position,
                               std::uint32_t epoch_min, WalCheck check) {
  EntryAt result;
  CO_TRY(auto bytes, co_await window.view(at, kWalEntryHeaderBytes));
  result.claimed = claimed_wal_entry_bytes(bytes, position);
  if (result.claimed == 0) co_return result;
  CO_TRY(bytes, co_await window.view(at, result.claimed));
  result.entry = read_wal_entry(bytes, position, epoch_min, check);
  co_return result;
}

// Whether a whole entry at or after `at` calls `position` durable: then what stood there was
// acknowledged.
Task<Result<bool>> is_confirmed_later(FileWindow& window, std::uint64_t at, std::uint64_t bytes,
                                      WalPosition at_position, WalPosition position,
                                      std::uint32_t epoch_min) {
  for (;;) {
    CO_TRY(auto found, co_await find_entry(window, at, bytes, at_position, epoch_min));
    if (!found) co_return false;
    at_position += *found - at;
    at = *found;
    CO_TRY(auto next, co_await entry_at(window, at, at_position, epoch_min, WalCheck::Full));
    if (!next.entry) co_return false;
    if (next.entry->durable > position) co_return true;
    at += next.entry->bytes;
    at_position += next.entry->bytes;
  }
}

}  // namespace

Task<Result<std::string_view>> FileWindow::view(std::uint64_t at, std::size_t wanted) {
  auto rest = at < bytes_ ? bytes_ - at : 0;
  auto size = std::min<std::uint64_t>(wanted, rest);
  bool inside = at >= window_at_ && at + size <= window_at_ + window_.size();
  if (!inside) {
    window_.resize(std::min<std::uint64_t>(std::max(wanted, kWindowBytes), rest));
    window_at_ = at;
    CO_TRY(auto got, co_await file_.read_at(window_, at));
    window_.resize(got);
  }
  auto view = std::string_view(window_).substr(std::min(at - window_at_, window_.size()));
  co_return view.substr(0, size);
}

// A file without a header of its own was never used, unless entries stand where they would.
Task<Result<bool>> LogRecovery::was_used(WalFile& file, WalPosition first) {
  if (file.has_header) co_return true;
  if (!file.file || file.is_prepared) co_return false;
  FileWindow window(*file.file, file.bytes);
  CO_TRY(auto found, co_await find_entry(window, kWalHeaderBytes, file.bytes, first, epoch_));
  co_return found.has_value();
}

// A start makes its file count by the header, and begins it with what it wrote again. Where that
// header, or the one of a file between, is damaged or was torn, the copies are known by their
// content: the entries before them are pending twice.
Task<Result<>> LogRecovery::forget_copied(FileWindow& window) {
  std::uint64_t at = kWalHeaderBytes;
  auto position = position_;
  CO_TRY(auto copy, co_await entry_at(window, at, position, epoch_, WalCheck::Full));
  // Without a start between them, nothing was copied.
  if (!copy.entry || copy.entry->epoch <= entry_epoch_) co_return Result<>();
  const auto is_copied = [&copy](const PendingEntry& entry) {
    return copy.entry && copy.entry->kind == entry.kind && copy.entry->payload == entry.payload;
  };
  const auto original = std::ranges::find_if(pending_, is_copied);
  for (auto each = original; each != pending_.end(); ++each) {
    if (each->says_nothing()) continue;
    CO_TRY(copy, co_await entry_at(window, at, position, epoch_, WalCheck::Full));
    if (!is_copied(*each)) co_return Result<>();
    at += copy.entry->bytes;
    position += copy.entry->bytes;
  }
  if (original == pending_.end()) co_return Result<>();
  copies_ = Copies{position_, original->position};
  pending_.erase(original, pending_.end());
  co_return Result<>();
}

Task<Result<>> LogRecovery::replay(WalFile& file, const WalFile* next) {
  if (file.has_header) {
    epoch_ = file.header.epoch;
    epochs_used_ = std::max(epochs_used_, epoch_);
    leader_epoch_ = std::max(leader_epoch_, file.header.leader_epoch);
    if (file.header.previous_end > position_) {
      WalFile missing;
      missing.sequence = file.sequence - 1;
      CO_CHECK(co_await set_aside(missing, 0, file.header.previous_end - position_));
    }
    // Rewritten entries of the file before begin here again.
    while (!pending_.empty() && pending_.back().position >= file.header.previous_end) {
      pending_.pop_back();
    }
    position_ = file.header.first_position;
  }
  std::optional<WalPosition> end;
  if (next != nullptr && next->has_header) end = next->header.previous_end;
  if (!file.file) co_return Result<>();
  FileWindow window(*file.file, file.bytes);
  if (!pending_.empty()) CO_CHECK(co_await forget_copied(window));
  if (file.has_header) confirm(position_);
  const auto first = position_;
  auto place = [&](WalPosition position) { return position - first + kWalHeaderBytes; };
  bool trusting = context_.options.mutant == LogMutant::TornTailAccepted;
  while (!end || position_ < *end) {
    auto at = place(position_);
    CO_TRY(auto here, co_await entry_at(window, at, position_, epoch_,
                                        trusting ? WalCheck::WithoutChecksum : WalCheck::Full));
    if (here.entry && (!end || here.entry->position < *end)) {
      keep_pending(*here.entry, file, at);
      position_ += here.entry->bytes;
      continue;
    }
    auto search = at + kWalAlignment;
    CO_TRY(auto found,
           co_await find_entry(window, search, file.bytes, position_ + kWalAlignment, epoch_));
    auto resume = found ? position_ + (*found - at) : end.value_or(position_);
    if (end) resume = std::min(resume, *end);
    bool acknowledged = end.has_value();
    if (!acknowledged && found) {
      CO_TRY(acknowledged,
             co_await is_confirmed_later(window, *found, file.bytes, resume, position_, epoch_));
    }
    if (!acknowledged) {
      if (found || here.claimed > 0)
        report_.cut_bytes += std::max<std::uint64_t>(here.claimed, found ? *found - at : 0);
      break;
    }
    // What stands before the damage was durable when the entry after it was written.
    confirm(position_);
    CO_CHECK(co_await set_aside(file, at, resume - position_));
    position_ = resume;
  }
  if (report_.cut_bytes > 0) {
    log_warn("eventlog", "a torn write at the end of the log was cut; it was never acknowledged",
             {{"file", context_.wal_path(file.sequence)}, {"bytes", report_.cut_bytes}});
  }
  co_return Result<>();
}

}  // namespace weft::eventlog
