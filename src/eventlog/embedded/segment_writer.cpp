#include "eventlog/embedded/segment_writer.h"

#include "eventlog/core/record_batch.h"
#include "runtime/crash_point.h"

namespace weft::eventlog {

namespace {

CrashPoint during_placement("log.during-placement");
CrashPoint after_segment_sync("log.after-segment-sync");

// Written and synced in pieces: the write-ahead log's next sync waits behind no more than one of
// them in the device's queue, instead of behind a whole segment.
constexpr std::size_t kFlushBytes = 128 * 1024;
constexpr std::size_t kFlushBytesBehind = 1024 * 1024;  // when files wait for their placement

}  // namespace

Task<Result<>> SegmentWriter::open() {
  auto path = context_.segment_path(segment_);
  CO_TRY(file_, co_await context_.files.open(path, OpenMode::CreateOrOpen));
  CO_CHECK(co_await file_->truncate(0));
  buffer_ = encode_segment_header(segment_, context_.cluster);
  co_return Result<>();
}

void SegmentWriter::begin_extent(PartitionId partition, std::uint64_t bytes_expected) {
  extent_ = std::make_unique<ExtentBuilder>(partition, segment_, bytes(), bytes_expected);
  extent_empty_ = true;
}

Task<Result<>> SegmentWriter::add(std::string_view batch) {
  CO_TRY(auto header, read_batch_header(batch));
  extent_->add(header.base_offset, header.last_offset(), header.max_timestamp, batch.size());
  extent_empty_ = false;
  buffer_ += batch;
  const auto full = context_.sealed_files > 1 ? kFlushBytesBehind : kFlushBytes;
  if (buffer_.size() >= full) CO_CHECK(co_await flush());
  co_return Result<>();
}

void SegmentWriter::end_extent() {
  if (!extent_empty_) {
    extents_.push_back(extent_->finish());
    extents_.back().intact.saw(0, extents_.back().bytes);
  }
  extent_.reset();
}

Task<Result<>> SegmentWriter::flush() {
  std::string_view parts[] = {buffer_};
  CO_CHECK(co_await file_->write_at(parts, flushed_));
  if (context_.options.mutant != LogMutant::SegmentUnsynced) CO_CHECK(co_await file_->sync());
  flushed_ += buffer_.size();
  buffer_.clear();
  during_placement.reached();
  co_return Result<>();
}

Task<Result<>> SegmentWriter::finish() {
  buffer_ += encode_segment_footer(extents_, bytes());
  CO_CHECK(co_await flush());
  context_.metrics.placed_bytes.add(flushed_);
  after_segment_sync.reached();
  co_return Result<>();
}

}  // namespace weft::eventlog
