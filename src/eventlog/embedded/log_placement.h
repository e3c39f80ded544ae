// Rewrites sealed write-ahead files, or small segments, into segments grouped by partition.
// Background only; changes nothing that readers see: the caller installs the result.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "eventlog/embedded/log_context.h"
#include "eventlog/embedded/log_reader.h"
#include "eventlog/embedded/log_writer.h"
#include "eventlog/embedded/segment_writer.h"

namespace weft::eventlog {

// One round of rewriting. Its files are leftovers, to be removed, until a manifest names them.
class LogPlacement {
 public:
  LogPlacement(LogContext& context, LogReader& reader, std::uint64_t& next_segment)
      : context_(context), reader_(reader), next_segment_(next_segment) {}

  Task<Result<>> place(std::vector<SealedWal> files);
  Task<Result<>> merge(std::vector<std::uint64_t> segments);
  // Of one partition, in log_compaction.cpp; any number of them, then finish().
  Task<Result<>> compact(const Partition& partition, const CompactionRules& rules,
                         const LatestOffsets& latest);
  // The files are whole and durable.
  Task<Result<>> finish();

  const ExtentsByPartition& extents() const { return extents_; }
  // The segments begun, finished or not.
  const std::vector<std::uint64_t>& segments() const { return segments_; }

 private:
  static constexpr std::uint64_t kExtentBytesMax = 1024 * 1024 * 1024;

  Task<Result<>> place_partition(const Partition& partition, const std::vector<SealedWal>& files);
  Task<Result<>> copy_refs(SegmentWriter& to, std::uint64_t wal, std::vector<BatchRef> refs,
                           Offset start);
  // After work of so long: while only one file waits and the next is not half full, most of the
  // time is left to the log's own writes and syncs.
  Task<void> give_way(Duration worked);
  Task<Result<>> merge_partition(const Partition& partition,
                                 const std::vector<std::uint64_t>& segments);
  Task<Result<>> copy_extent(SegmentWriter& to, std::shared_ptr<const Extent> extent);
  // The shared file, or one of its own for much data.
  Task<Result<SegmentWriter*>> writer_for(std::uint64_t bytes);

  LogContext& context_;
  LogReader& reader_;
  std::uint64_t& next_segment_;
  std::vector<std::unique_ptr<SegmentWriter>> writers_;
  SegmentWriter* shared_ = nullptr;
  ExtentsByPartition extents_;
  std::vector<std::uint64_t> segments_;
};

}  // namespace weft::eventlog
