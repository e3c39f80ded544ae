// Reading: from the memory tail, the write-ahead files and the segments. Any loop; bytes that are
// not in the page cache are read on a small pool, so a loop does not stall on a cold disk.
//
// Damaged bytes in a file are reported, counted and skipped: readers see a hole.
#pragma once

#include <cstdint>
#include <limits>
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
    Offset limit = std::numeric_limits<Offset>::max();  // no batch at or beyond this one
    bool sets_damage_aside = false;  // copies damaged bytes to quarantine/; for placement
    bool from_files = false;         // long runs of batches stay in their file
    bool is_cut = false;             // there is more that did not fit
  };
  // With `committed_only`, up to the stable end, and with the transactions that do not count.
  struct ReadOptions {
    bool committed_only = false;
    bool from_files = false;
  };
  Task<Batches> read(PartitionId id, Offset from, std::uint64_t bytes_max, ReadOptions options);

  Task<std::vector<FetchedPartition>> fetch(std::vector<FetchItem> items, FetchOptions options);

  // Waits until one partition's end (with `committed_only`, its stable end) is beyond what was seen
  // of it by `bytes`, the time is over, or the log closes.
  Task<void> wait_for_more(std::vector<std::pair<std::shared_ptr<Partition>, Offset>> ends,
                           std::int64_t bytes, Duration wait, bool committed_only = false);

  // Appends whole batches of the extent; requires extent.first <= from < extent.end. False when it
  // did not come to the extent's end. Damage, and bytes that are not in memory, are not known to be
  // intact any more.
  Task<Result<bool>> read_extent(const Extent& extent, Offset from, std::uint64_t bytes_max,
                                 Batches& into);
  // The batches of one partition in a write-ahead file; null for a damaged one.
  Task<Result<std::vector<std::shared_ptr<const std::string>>>> read_wal(
      std::uint64_t sequence, std::vector<BatchRef> refs);
  // Copies bytes that cannot be used to quarantine/.
  Task<Result<>> set_aside(std::string path, std::uint64_t at, std::uint64_t bytes);

 private:
  // False when there is nothing to add behind it: a batch did not fit, or is beyond the limit.
  Task<Result<bool>> follow(ReadPlan plan, std::uint64_t bytes_max, Batches& into);
  Task<Result<std::size_t>> read_bytes(std::shared_ptr<File> file, std::span<char> into,
                                       std::uint64_t offset);
  Task<Result<std::string>> read_range(std::string path, std::uint64_t at, std::uint64_t bytes);
  Task<Result<std::string>> read_range(std::shared_ptr<File> file, std::uint64_t at,
                                       std::uint64_t bytes);
  // Where to go on in the extent.
  Task<Result<std::uint64_t>> skip_damage(const Extent& extent, std::uint64_t at, Batches& into);
  void report_damage(PartitionId id, Offset offset, const std::string& path);

  LogContext& context_;
  std::unique_ptr<BlockingPool> pool_;
};

}  // namespace weft::eventlog
