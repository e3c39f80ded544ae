// What a segment's file says of itself, at its end.
#pragma once

#include <cstdint>
#include <vector>

#include "eventlog/core/log_segment_format.h"
#include "runtime/disk.h"
#include "runtime/task.h"

namespace weft::eventlog {

struct SegmentFooter {
  std::uint64_t at = 0;  // where it begins: the extents lie before it
  std::vector<Extent> extents;
};

// DataLoss when the end is missing or damaged, FailedPrecondition when a newer version wrote it.
Task<Result<SegmentFooter>> read_segment_footer(File& file, std::uint64_t segment);

}  // namespace weft::eventlog
