// One partition as the log knows it: what is durable and visible, and where it lies (memory tail,
// write-ahead files, segments). The log's thread writes, all loops read; a short mutex guards the
// visible part and is never held across a suspension.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "eventlog/batch_log.h"
#include "eventlog/core/log_manifest.h"
#include "eventlog/core/log_producers.h"
#include "eventlog/core/log_segment_format.h"
#include "eventlog/core/transaction_index.h"
#include "runtime/suspension.h"
#include "runtime/task.h"

namespace weft::eventlog {

// A batch in a write-ahead file.
struct BatchRef {
  Offset base = 0;
  std::int64_t max_timestamp = 0;
  std::uint32_t last_delta = 0;
  std::uint32_t at = 0;  // of the batch's first byte in the file
  std::uint32_t bytes = 0;
  Offset last() const { return base + last_delta; }
};

// A partition's batches in one write-ahead file, in order.
struct WalRun {
  std::uint64_t sequence = 0;
  std::vector<BatchRef> batches;
};

struct TailBatch {
  Offset base = 0;
  Offset last = 0;
  std::int64_t max_timestamp = 0;
  std::shared_ptr<const std::string> bytes;
};

// A fetch that waits for more bytes. Woken once, by a post to its loop.
struct FetchWaiter {
  FetchWaiter(Executor executor, std::int64_t bytes) : loop(executor), missing(bytes) {}
  Executor loop;
  std::atomic<std::int64_t> missing;
  bool committed_only = false;  // waits for the stable end to move
  std::atomic<bool> signalled{false};
  Suspension wake;
};
using FetchWaiters = std::vector<std::shared_ptr<FetchWaiter>>;

// A batch that has become visible.
struct PublishedBatch {
  BatchRef ref;
  std::uint64_t wal_sequence = 0;  // 0: nowhere but in memory
  std::int32_t leader_epoch = 0;
  std::shared_ptr<const std::string> bytes;  // null: not kept in memory
  // The producer counts where there is a step.
  TransactionStep step = TransactionStep::None;
  std::int16_t producer_epoch = -1;
  std::int64_t producer_id = -1;
};

// Where the next bytes of a read come from.
struct ReadPlan {
  std::optional<ErrorCode> error;
  PartitionInfo info;
  std::vector<std::shared_ptr<const std::string>> batches;  // from memory
  std::uint64_t wal_sequence = 0;                           // else from this write-ahead file …
  std::vector<BatchRef> refs;                               // … these batches
  std::shared_ptr<const Extent> extent;                     // else from this extent
  Offset next = 0;                                          // after `batches` or `refs`
  Offset limit = 0;                                         // no batch at or beyond this one
  // Of the planned range; taken together with it, since retention may forget them a moment later.
  std::vector<AbortedTransaction> aborted;
  // How often the partition was compacted since the start: what two plans say of aborted
  // transactions belongs together only when it is the same.
  std::uint64_t compactions = 0;
};

class Partition {
 public:
  explicit Partition(PartitionId partition) : id(partition) {}
  Partition(const Partition&) = delete;
  Partition& operator=(const Partition&) = delete;

  const PartitionId id;

  // Log thread only.
  Offset next = 0;  // of the next batch, durable or not
  ProducerStates producers;
  bool deleted = false;

  // Log thread and recovery. Waiters that have enough now are moved to `woken`. The partition's
  // start.
  Offset publish(const PublishedBatch& batch, FetchWaiters& woken);
  // Drops the oldest batch from memory; its accounted size.
  std::size_t evict_tail();
  // Drops oldest batches of a `memory` stream until at most this much is left.
  void limit_memory(std::uint64_t bytes_max, std::int64_t older_than_ms);
  // Start moves up only. How many bytes of extents are dead now.
  std::uint64_t move_start(Offset start);
  void skip_to(Offset next_offset);
  void set_leader_epoch(std::int32_t epoch);
  void restore(const ManifestPartition& state);
  void add_extent(std::shared_ptr<const Extent> extent);
  // The extents that hold what was in write-ahead files up to `sequence`.
  void place(std::uint64_t sequence, std::vector<std::shared_ptr<const Extent>> extents);
  // Puts `merged` in place of the extents of the segments `from`.
  void merge(const std::vector<std::uint64_t>& from,
             std::vector<std::shared_ptr<const Extent>> merged);
  // All extents `before` were compacted to `after`. Of aborted transactions that ended before
  // `forget_before` nothing is left.
  struct Compacted {
    std::vector<std::shared_ptr<const Extent>> before;
    std::vector<std::shared_ptr<const Extent>> after;
    std::uint64_t first_segment = 0;  // of those written for it
    CleanMarks cleaned;
    Offset forget_before = 0;
  };
  void compacted(Compacted done);
  void wake_all(FetchWaiters& woken);

  // Any thread.
  PartitionInfo info() const;
  EpochEnd epoch_end(std::int32_t epoch) const;
  std::vector<EpochStart> epochs() const;
  TransactionIndex transactions() const;
  CleanMarks cleaned() const;
  // Extents in older segments are not the partition's any more.
  std::uint64_t first_segment() const;
  std::size_t aborted_count() const;
  std::vector<AbortedTransaction> aborted_in(Offset from, Offset to) const;
  // Up to the end, or up to the stable end. At the latter, or beyond, the plan is empty.
  ReadPlan plan(Offset from, std::uint64_t bytes_max, bool committed_only = false) const;
  std::vector<BatchRef> refs(std::uint64_t wal_sequence) const;
  std::vector<std::shared_ptr<const Extent>> extents() const;
  // The offset from which to look for the first record at or after `unix_ms`; end when there is
  // none.
  Offset seek_time(std::int64_t unix_ms) const;
  // The start that retention asks for.
  Offset retained_start(std::int64_t older_than_ms, std::uint64_t bytes_max) const;
  // False when the end (for waiters for what is committed, the stable end) is beyond `end_seen`
  // already.
  bool wait(const std::shared_ptr<FetchWaiter>& waiter, Offset end_seen);
  void stop_waiting(const FetchWaiter& waiter);

 private:
  WalRun& run_for(std::uint64_t sequence);
  void plan_tail(ReadPlan& plan, Offset from, std::uint64_t bytes_max) const;
  bool plan_wal(ReadPlan& plan, Offset from, std::uint64_t bytes_max) const;
  void pop_tail();
  void merge_locked(const std::vector<std::uint64_t>& from,
                    std::vector<std::shared_ptr<const Extent>> merged);
  void end_moved() {
    // Of a transaction that is open for long the first records may be gone.
    info_.stable_end = std::max(transactions_.stable_end(info_.end), info_.start);
  }
  ReadPlan plan_locked(Offset from, std::uint64_t bytes_max, bool committed_only) const;

  mutable std::mutex mutex_;
  PartitionInfo info_;
  std::vector<TailBatch> tail_;  // from tail_first_ on
  std::size_t tail_first_ = 0;
  std::uint64_t tail_bytes_ = 0;
  std::vector<WalRun> runs_;
  std::vector<std::shared_ptr<const Extent>> extents_;
  std::vector<EpochStart> epochs_;
  TransactionIndex transactions_;
  CleanMarks cleaned_;
  std::uint64_t first_segment_ = 0;
  std::uint64_t compactions_ = 0;
  FetchWaiters waiters_;
};

// What a batch in the tail costs in memory.
inline std::size_t tail_cost(std::size_t batch_bytes) {
  return batch_bytes + 160;
}

}  // namespace weft::eventlog
