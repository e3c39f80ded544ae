// Reading: from the memory tail, the write-ahead files and the segments. Any loop; bytes that are
// not in the page cache are read on a small pool, so a loop does not stall on a cold disk.
//
// Damaged bytes in a file are reported, counted and skipped: readers see a hole.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eventlog/batch_log.h"
#include "eventlog/embedded/log_context.h"
#include "eventlog/embedded/log_partition.h"
#include "runtime/loops.h"

namespace weft::eventlog {

class LogReader {
 public:
  explicit LogReader(LogContext& context);

  // Whole batches from the one that holds `from` on, up to `bytes_max`; one at least, if there is
  // any. Does not wait for new ones. `next` is the offset after them, beyond holes.
  struct Batches {
    FetchedPartition fetched;
    std::uint64_t bytes = 0;
    Offset next = 0;
  };
  Task<Batches> read(PartitionId id, Offset from, std::uint64_t bytes_max);

  Task<std::vector<FetchedPartition>> fetch(std::vector<FetchItem> items, FetchOptions options);

  // Waits until the partition's end is beyond `end_seen`, the time is over, or the log closes.
  Task<void> wait_for_more(std::vector<std::pair<std::shared_ptr<Partition>, Offset>> ends,
                           std::int64_t bytes, Duration wait);

  // The batches of one partition in a write-ahead file, for placement.
  Task<Result<std::vector<std::shared_ptr<const std::string>>>> read_wal(
      std::uint64_t sequence, std::vector<BatchRef> refs);

 private:
  // False when a batch did not fit any more.
  Task<Result<bool>> follow(ReadPlan plan, std::uint64_t bytes_max, Batches& into);
  Task<Result<std::size_t>> read_bytes(std::shared_ptr<File> file, std::span<char> into,
                                       std::uint64_t offset);
  Task<Result<>> read_extent(const Extent& extent, Offset from, std::uint64_t bytes_max,
                             Batches& into);
  Task<Result<std::string>> read_range(std::string path, std::uint64_t at, std::uint64_t bytes);
  void report_damage(PartitionId id, Offset offset, const std::string& path);

  LogContext& context_;
  std::unique_ptr<BlockingPool> pool_;
};

}  // namespace weft::eventlog
