// The log's thread: admits what queued, commits it as one group (one write, one sync), publishes,
// answers. It alone changes the write-ahead log, the partitions' heads, producer states and
// streams.
//
// submit() and execute(): any thread. Everything else: log thread, or recovery before run().
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "eventlog/core/log_manifest.h"
#include "eventlog/core/transactional_producers.h"
#include "eventlog/embedded/log_context.h"
#include "eventlog/embedded/log_work.h"
#include "eventlog/embedded/wal_writer.h"
#include "runtime/channel.h"
#include "runtime/on_loop.h"

namespace weft::eventlog {

// The used part of a write-ahead file, from its beginning.
struct WalExtent {
  std::uint64_t sequence = 0;
  std::uint64_t bytes = 0;
};

using ExtentsByPartition = std::map<PartitionId, std::vector<std::shared_ptr<const Extent>>>;

class LogWriter {
 public:
  LogWriter(LogContext& context, Executor loop);

  // The log thread's life; ends after close_queue() when everything queued is done.
  Task<void> run();
  void close_queue() { mailbox_.close(); }

  // False when the queue is full or closed; the work is then not taken.
  bool submit(AppendWork& work);
  // Runs `job` on the log's thread between two groups. Absent when the queue is full or closed.
  template <class T>
  Task<std::optional<T>> execute(std::function<Task<T>()> job);

  // Called on the log thread when a file was sealed or a spare is wanted.
  void set_background_signal(std::function<void()> signal) { signal_ = std::move(signal); }

  // For execute(), on the log thread:
  Task<Result<StreamInfo>> create_stream(StreamSettings settings);
  Task<Result<StreamInfo>> alter_stream(StreamId id, StreamSettings settings);
  Task<Result<>> retire_stream(StreamId id, std::optional<WallTime> since);
  Task<Result<>> delete_stream(StreamId id);
  Task<Result<std::int64_t>> new_producer_id();
  Task<Result<Offset>> move_start(PartitionId id, Offset start);
  Task<Result<>> move_starts(std::vector<StartMoved> moves);
  Task<Result<>> write_commands(std::vector<LogCommand> commands);
  // Says on the medium that all before is durable, if something was written since the last time.
  Task<Result<>> write_marker();
  // Seals the present write-ahead file if it holds data.
  Task<Result<>> seal();
  void expire_producers();
  Task<Result<>> enlist(TransactionalProducer producer, std::vector<PartitionId> partitions);
  Task<Result<>> admit_producers(std::vector<AdmittedProducer> producers);
  Task<Result<>> forget_producers(std::vector<std::int64_t> ids);
  Task<Result<std::vector<OpenTransactionView>>> open_transactions();
  Task<Result<std::vector<ProducerView>>> producers(PartitionId id);
  // The state as of now, apart from what the background keeps (segment numbers, unreadable
  // segments).
  // Unavailable after the log has stopped: its state then holds what was never written.
  Task<Result<Manifest>> snapshot();
  // The write-ahead files that hold what snapshot() says is still there, and how much of each;
  // those without an entry are left out.
  std::vector<WalExtent> wal_extents() const;
  // The extents are readable from now on, instead of the write-ahead files up to `sequence`.
  Task<bool> install(std::uint64_t sequence, const ExtentsByPartition& extents);
  Task<std::vector<SealedWal>> list_sealed() {
    context_.sealed_files = sealed_.size();
    co_return sealed_;
  }
  Task<bool> lacks_spare() { co_return wal_.wants_spare(); }
  void stop(const Error& error);

  WalWriter& wal() { return wal_; }
  std::vector<SealedWal>& sealed() { return sealed_; }
  std::int64_t producer_ids_reserved() const { return producer_ids_reserved_; }
  std::atomic<std::uint64_t> dead_bytes{
      0};  // of extents that retention dropped since the last manifest

  // For recovery:
  void restore_producer_ids(std::int64_t reserved);
  void count_producer(bool fresh) { producers_ += fresh ? 1 : 0; }
  void apply(const LogCommand& command);
  // What the partitions know of open transactions; once, after replay.
  void recover_transactions();
  Task<Result<>> write_recovered(std::vector<LogCommand> commands) {
    start_group();
    return write_commands(std::move(commands));
  }

 private:
  struct Placed {
    AppendItem* item;
    std::shared_ptr<const std::string> bytes;
    WalPosition position;
  };
  struct TailSlot {
    std::shared_ptr<Partition> partition;
    std::size_t cost;
  };

  bool push(Work& work);
  Task<void> process(const std::vector<Work*>& works);
  Task<void> take_append(AppendWork& work);
  // `durable`: what durable batches are refused with; Appended when there is room for all of the
  // work.
  void admit(AppendWork& work, AppendStatus durable);
  void admit_one(AppendWork& work, AppendItem& item, AppendStatus durable);
  void admit_together(AppendWork& work, AppendStatus durable);
  // True when all of them were placed, in one entry.
  bool admit_all_or_none(AppendWork& work, std::span<AppendItem> items, AppendStatus durable);
  // Markers for all partitions that the transaction wrote to.
  void add_markers(AppendWork& work);
  void finish(const AppendWork& work);
  AppendedBatch judge(const AppendItem& item, AppendStatus durable) const;
  // Gives the batch its offset, for good.
  std::shared_ptr<const std::string> number(AppendItem& item);
  void place(AppendItem& item);
  void place_in_memory(AppendItem& item);
  void remember_producer(AppendItem& item);
  Task<void> commit();
  Task<Result<>> write_group();
  void publish_group();
  void keep_in_tail(const AppendItem& item, std::size_t cost);
  void refuse_group();
  void start_group();
  std::size_t mark_bytes() const;
  std::size_t room() const;
  void add_marker();
  // Ends a group; after everything in it was asked for, before anything of it is answered.
  void stamp() {
    if (context_.options.archive != nullptr) add_marker();
  }
  Task<Result<>> make_room(std::size_t bytes);
  Task<Result<>> roll();
  void signal_background();

  LogContext& context_;
  Mailbox<Work*> mailbox_;
  std::atomic<std::uint64_t> queued_bytes_{0};
  std::function<void()> signal_;

  WalWriter wal_;
  WalGroup group_;
  std::vector<Placed> placed_;
  std::vector<AppendWork*> waiting_;
  Wakeups wakeups_;
  FetchWaiters woken_;
  std::deque<TailSlot> tail_;
  std::uint64_t tail_bytes_ = 0;
  std::vector<SealedWal> sealed_;
  WalPosition marked_ = 0;  // everything before is known durable on the medium
  std::int64_t next_producer_id_ = 1;
  std::int64_t producer_ids_reserved_ = 1;
  std::size_t producers_ = 0;
  TransactionalProducers transactions_;
  bool signalled_ = false;
};

template <class T>
Task<void> keep_outcome_of(std::function<Task<T>()>& job, std::optional<T>& outcome) {
  outcome.emplace(co_await job());
}

template <class T>
Task<std::optional<T>> LogWriter::execute(std::function<Task<T>()> job) {
  std::optional<T> outcome;
  auto loop = co_await current_loop();
  ControlWork work(loop, [&job, &outcome] { return keep_outcome_of<T>(job, outcome); });
  if (push(work)) co_await work.done.suspended();
  co_return outcome;
}

}  // namespace weft::eventlog
