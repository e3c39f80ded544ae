#include "eventlog/embedded/log_placement.h"

#include <algorithm>

#include "eventlog/embedded/extent_scan.h"

namespace weft::eventlog {

namespace {

constexpr std::size_t kRefsAtOnce = 1024;
constexpr std::uint64_t kPlacementReadBytes = 128 * 1024;
constexpr int kRestsPerWork = 4;
constexpr Duration kRestMax = std::chrono::milliseconds(20);

std::uint64_t bytes_of(const std::vector<BatchRef>& refs) {
  std::uint64_t bytes = 0;
  for (const auto& ref : refs) bytes += ref.bytes;
  return bytes;
}

}  // namespace

Task<Result<SegmentWriter*>> LogPlacement::writer_for(std::uint64_t bytes) {
  bool own = bytes >= context_.options.own_segment_bytes;
  if (!own && shared_ != nullptr) co_return shared_;
  auto segment = next_segment_++;
  segments_.push_back(segment);
  writers_.push_back(std::make_unique<SegmentWriter>(context_, segment));
  auto* writer = writers_.back().get();
  CO_CHECK(co_await writer->open());
  if (!own) shared_ = writer;
  co_return writer;
}

Task<Result<>> LogPlacement::copy_refs(SegmentWriter& to, std::uint64_t wal,
                                       std::vector<BatchRef> refs, Offset start) {
  std::erase_if(refs, [&](const BatchRef& ref) { return ref.last() < start; });
  for (std::size_t at = 0; at < refs.size();) {
    std::vector<BatchRef> some;
    std::uint64_t bytes = 0;
    while (at < refs.size() && some.size() < kRefsAtOnce &&
           (bytes == 0 || bytes < kPlacementReadBytes)) {
      bytes += refs[at].bytes;
      some.push_back(refs[at++]);
    }
    const auto begun = context_.clock.mono();
    CO_TRY(auto batches, co_await reader_.read_wal(wal, some));
    for (std::size_t i = 0; i < batches.size(); ++i) {
      if (batches[i]) {
        CO_CHECK(co_await to.add(*batches[i]));
      } else {
        CO_CHECK(co_await reader_.set_aside(context_.wal_path(wal), some[i].at, some[i].bytes));
      }
    }
    co_await give_way(context_.clock.mono() - begun);
  }
  co_return Result<>();
}

Task<void> LogPlacement::give_way(Duration worked) {
  if (context_.closing || context_.sealed_files > 1) co_return;
  if (context_.wal_room < context_.options.wal_file_bytes / 2) co_return;
  // A cancelled rest is over.
  [[maybe_unused]] const auto rested =
      co_await context_.clock.sleep_for(std::min<Duration>(kRestsPerWork * worked, kRestMax));
}

Task<Result<>> LogPlacement::place_partition(const Partition& partition,
                                             const std::vector<SealedWal>& files) {
  std::uint64_t bytes = 0;
  for (const auto& file : files) bytes += bytes_of(partition.refs(file.sequence));
  if (bytes == 0) co_return Result<>();
  CO_TRY(auto* writer, co_await writer_for(bytes));
  auto start = partition.info().start;
  writer->begin_extent(partition.id, bytes);
  for (const auto& file : files) {
    auto refs = partition.refs(file.sequence);
    CO_CHECK(co_await copy_refs(*writer, file.sequence, std::move(refs), start));
  }
  writer->end_extent();
  co_return Result<>();
}

Task<Result<>> LogPlacement::finish() {
  for (auto& writer : writers_) CO_CHECK(co_await writer->finish());
  if (!writers_.empty()) {
    CO_CHECK(co_await context_.files.sync_directory(context_.segment_folder()));
  }
  for (const auto& writer : writers_) {
    for (const auto& extent : writer->extents()) {
      extents_[extent.partition].push_back(std::make_shared<const Extent>(extent));
    }
  }
  co_return Result<>();
}

Task<Result<>> LogPlacement::place(std::vector<SealedWal> files) {
  for (const auto& stream : context_.streams.all()) {
    for (const auto& partition : stream->partitions) {
      CO_CHECK(co_await place_partition(*partition, files));
    }
  }
  co_return co_await finish();
}

Task<Result<>> LogPlacement::copy_extent(SegmentWriter& to, std::shared_ptr<const Extent> extent) {
  ExtentScan scan(reader_, *extent);
  for (;;) {
    CO_TRY(bool any, co_await scan.more());
    if (!any) co_return Result<>();
    for (const auto& batch : scan.batches()) CO_CHECK(co_await to.add(*batch));
  }
}

Task<Result<>> LogPlacement::merge_partition(const Partition& partition,
                                             const std::vector<std::uint64_t>& segments) {
  auto extents = partition.extents();
  auto is_merged = [&](const std::shared_ptr<const Extent>& extent) {
    return std::ranges::find(segments, extent->segment) != segments.end();
  };
  // Neighbours become one extent; what lies between two of them keeps its place.
  for (auto at = extents.begin(); at != extents.end();) {
    at = std::find_if(at, extents.end(), is_merged);
    std::uint64_t bytes = 0;
    auto end = at;
    while (end != extents.end() && is_merged(*end) && bytes < kExtentBytesMax) {
      bytes += (*end++)->bytes;
    }
    if (at == end) break;
    CO_TRY(auto* writer, co_await writer_for(bytes));
    writer->begin_extent(partition.id, bytes);
    for (; at != end; ++at) CO_CHECK(co_await copy_extent(*writer, *at));
    writer->end_extent();
  }
  co_return Result<>();
}

Task<Result<>> LogPlacement::merge(std::vector<std::uint64_t> segments) {
  for (const auto& stream : context_.streams.all()) {
    for (const auto& partition : stream->partitions) {
      CO_CHECK(co_await merge_partition(*partition, segments));
    }
  }
  co_return co_await finish();
}

}  // namespace weft::eventlog
