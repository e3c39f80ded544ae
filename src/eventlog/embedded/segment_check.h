// Reads a segment's file batch by batch and checks every checksum, a megabyte at a time. Used by
// the check of a backup and by the scrub of a running log.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "eventlog/types.h"
#include "runtime/clock.h"
#include "runtime/disk.h"
#include "runtime/task.h"

namespace weft::eventlog {

struct SegmentCheck {
  std::uint64_t bytes = 0;
  std::uint64_t batches = 0;
  std::uint64_t records = 0;
  std::vector<std::string> damage;  // "the batch at offset 17 of stream …"; the first 100
  struct CheckedExtent {
    PartitionId partition;
    std::uint64_t at = 0;  // in the file
    bool is_intact = false;
  };
  std::vector<CheckedExtent> extents;
};

// Spreads reading over time, so that it does not take the disk from others.
class Pacer {
 public:
  // 0: as fast as it goes.
  Pacer(Clock& clock, std::uint64_t bytes_per_second)
      : clock_(clock), bytes_per_second_(bytes_per_second) {}
  // Waits until so much more may be read. Cancelled with its task.
  Task<Result<>> spend(std::size_t bytes);

 private:
  Clock& clock_;
  const std::uint64_t bytes_per_second_;
  MonoTime next_{};
};

// An error when the file cannot be read, or its footer is damaged (DataLoss).
Task<Result<SegmentCheck>> check_segment_file(FileSystem& files, std::string path,
                                              std::uint64_t segment, Pacer& pacer);

}  // namespace weft::eventlog
