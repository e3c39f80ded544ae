// Writes one segment file, extent by extent. Background only; nothing refers to the file before
// finish() has made it durable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "eventlog/core/log_segment_format.h"
#include "eventlog/embedded/log_context.h"
#include "runtime/disk.h"
#include "runtime/task.h"

namespace weft::eventlog {

class SegmentWriter {
 public:
  SegmentWriter(LogContext& context, std::uint64_t segment)
      : context_(context), segment_(segment) {}

  Task<Result<>> open();
  void begin_extent(PartitionId partition, std::uint64_t bytes_expected);
  // Requires an open extent and an intact batch.
  Task<Result<>> add(std::string_view batch);
  void end_extent();
  // Footer and sync. The folder is synced by the caller, once for all segments of a round.
  Task<Result<>> finish();

  std::uint64_t segment() const { return segment_; }
  std::uint64_t bytes() const { return flushed_ + buffer_.size(); }
  const std::vector<Extent>& extents() const { return extents_; }

 private:
  Task<Result<>> flush();

  LogContext& context_;
  std::uint64_t segment_;
  std::unique_ptr<File> file_;
  std::string buffer_;
  std::uint64_t flushed_ = 0;
  std::unique_ptr<ExtentBuilder> extent_;
  bool extent_empty_ = true;
  std::vector<Extent> extents_;
};

}  // namespace weft::eventlog
