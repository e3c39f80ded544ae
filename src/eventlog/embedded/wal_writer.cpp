#include "eventlog/embedded/wal_writer.h"
#include "runtime/crash_point.h"

#include <algorithm>

namespace weft::eventlog {

namespace {

CrashPoint after_roll("log.after-roll");

constexpr std::size_t kZeroChunk = 256 * 1024;

}  // namespace

Task<Result<>> fill_with_zeros(File& file, std::uint64_t bytes) {
  std::string zeros(std::min<std::uint64_t>(kZeroChunk, bytes), '\0');
  for (std::uint64_t at = 0; at < bytes; at += zeros.size()) {
    std::string_view part = std::string_view(zeros).substr(0, std::min(zeros.size(), bytes - at));
    CO_CHECK(co_await file.write_at(std::span(&part, 1), at));
  }
  co_return co_await file.sync();
}

std::string WalWriter::header() const {
  WalFileHeader header;
  header.cluster = context_.cluster;
  header.sequence = sequence_;
  header.first_position = first_position_;
  header.previous_end = previous_end_;
  header.epoch = start_.epoch;
  header.leader_epoch = start_.leader_epoch;
  header.state = start_.state;
  header.created_ms = to_unix_ms(context_.clock.now());
  return encode_wal_header(header);
}

Task<Result<>> WalWriter::start(WalStart start) {
  start_ = start;
  sequence_ = start.sequence;
  first_position_ = position_ = start.position;
  previous_end_ = start.previous_end;
  auto path = context_.wal_path(sequence_);
  [[maybe_unused]] auto reused = co_await take_spare_for(sequence_);
  CO_TRY(auto file, co_await context_.files.open(path, OpenMode::CreateOrOpen));
  CO_TRY(auto size, co_await file->size());
  if (size != context_.options.wal_file_bytes) {
    CO_CHECK(co_await file->truncate(0));
    CO_CHECK(co_await fill_with_zeros(*file, context_.options.wal_file_bytes));
  }
  file_ = std::move(file);
  CO_CHECK(co_await write_header());
  begun_ = context_.clock.mono();
  co_return co_await context_.files.sync_directory(context_.wal_folder());
}

Task<Result<>> WalWriter::write_header() {
  auto bytes = header();
  std::string_view parts[] = {bytes};
  CO_CHECK(co_await file_->write_at(parts, 0));
  co_return co_await file_->sync();
}

Task<Result<>> WalWriter::activate() {
  if (start_.state == WalFileState::Active) co_return Result<>();
  start_.state = WalFileState::Active;
  co_return co_await write_header();
}

// Gives the spare the name of the file `sequence`; false when there is none of the right size.
Task<Result<bool>> WalWriter::take_spare_for(std::uint64_t sequence) {
  auto path = context_.wal_path(sequence);
  auto opened = co_await context_.files.open(context_.wal_spare_path(), OpenMode::ReadWrite);
  if (!opened && opened.error().code == ErrorCode::NotFound) co_return false;
  if (!opened) co_return std::unexpected(std::move(opened).error());
  CO_TRY(auto size, co_await (*opened)->size());
  if (size != context_.options.wal_file_bytes) co_return false;
  CO_CHECK(co_await context_.files.rename(context_.wal_spare_path(), path));
  CO_CHECK(co_await context_.files.sync_directory(context_.wal_folder()));
  co_return true;
}

Task<Result<>> WalWriter::adopt_spare() {
  if (spare_) co_return Result<>();
  CO_TRY(bool taken, co_await take_spare_for(sequence_ + 1));
  if (!taken) co_return fail(ErrorCode::NotFound, "no spare file");
  CO_TRY(spare_,
         co_await context_.files.open(context_.wal_path(sequence_ + 1), OpenMode::ReadWrite));
  co_return Result<>();
}

Task<Result<>> WalWriter::write(WalGroup& group) {
  if (group.bytes() > room()) {
    co_return fail(ErrorCode::Internal, "a group of {} bytes does not fit the file's {}",
                   group.bytes(), room());
  }
  auto parts = group.parts(header_);
  auto at = header_.empty() ? offset_ : 0;
  if (empty()) begun_ = context_.clock.mono();
  CO_CHECK(co_await file_->write_at(parts, at));
  header_.clear();
  offset_ += group.bytes();
  context_.wal_room.store(room(), std::memory_order_relaxed);
  position_ += group.bytes();
  co_return Result<>();
}

Task<Result<>> WalWriter::roll() {
  auto next = std::move(spare_);
  if (!next) {
    CO_TRY(next,
           co_await context_.files.open(context_.wal_path(sequence_ + 1), OpenMode::CreateOrOpen));
    CO_CHECK(co_await next->allocate(context_.options.wal_file_bytes));
    CO_CHECK(co_await next->sync());
    CO_CHECK(co_await context_.files.sync_directory(context_.wal_folder()));
  }
  file_ = std::move(next);
  ++sequence_;
  first_position_ = previous_end_ = position_;
  offset_ = kWalHeaderBytes;
  header_ = header();
  after_roll.reached();
  co_return Result<>();
}

}  // namespace weft::eventlog
