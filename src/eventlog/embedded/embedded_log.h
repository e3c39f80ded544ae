// The durable log inside the process: EventLog for features, BatchLog for the Kafka edge. One
// write-ahead log with group commit, placed in the background into segments; docs/adr/0001 says
// why.
//
// open() recovers and starts the log's own two threads (or uses the given executors); close()
// drains and ends them and must have returned before destruction. All other calls: any loop. A
// failed write or sync stops appends for good (Unavailable, AppendStatus::Stopped); reads go on.
#pragma once

#include <memory>

#include "eventlog/batch_log.h"
#include "eventlog/embedded/archive_status.h"
#include "eventlog/embedded/log_copy.h"
#include "eventlog/embedded/log_options.h"
#include "eventlog/event_log.h"
#include "runtime/clock.h"
#include "runtime/disk.h"
#include "runtime/metrics.h"
#include "runtime/random.h"

namespace weft::eventlog {

struct AppendItem;
struct TransactionEnding;
using AppendItems = std::vector<AppendItem>;

struct LogStatus {
  bool stopped = false;
  bool disk_full = false;
  std::uint64_t wal_files = 0;
  std::uint64_t segments = 0;
  std::uint64_t damaged_ranges = 0;  // found at start; copies are in quarantine/
  std::uint64_t cut_bytes = 0;       // of a torn tail, at start
  std::uint64_t scrub_damaged = 0;   // batches that the last scrub could not read
  Duration recovery_time{};
  std::optional<ArchiveStatus> archive;  // absent without one
};

class EmbeddedLog final : public EventLog, public BatchLog {
 public:
  // AlreadyExists: another process uses the folder. FailedPrecondition: written by a newer version.
  static Task<Result<std::unique_ptr<EmbeddedLog>>> open(FileSystem& files, Clock& clock,
                                                         Random& random, Metrics& metrics,
                                                         LogOptions options);
  ~EmbeddedLog() override;

  // Refuses new work, finishes what was accepted, wakes parked reads. Safe to repeat.
  Task<void> close();
  LogStatus status() const;
  // Seals what is written and waits until it is placed and retention was applied. For tests and
  // tools.
  Task<Result<>> tidy();
  // Reads all segments once, as the background does every scrub_interval.
  Task<Result<>> scrub();
  // For a backup of the running log: the files that make it up as of now. They stay as they are
  // until end_copy(), which must follow; retention and placement do not give space back meanwhile.
  // Conflict while another copy is made.
  Task<Result<LogCopy>> begin_copy();
  Task<Result<>> end_copy();

  Task<Result<std::vector<Appended>>> append(std::vector<NewRecords> entry) override;
  Task<Result<std::vector<Appended>>> append_borrowed(
      std::span<const BorrowedRecords> entry) override;
  Task<Result<ReadResult>> read(ReadRequest request) override;
  Task<Result<Offset>> offset_at(PartitionId partition, WallTime time) override;
  std::optional<StreamInfo> find_stream(std::string_view tenant,
                                        std::string_view name) const override;
  std::optional<StreamInfo> stream(StreamId id) const override;
  std::vector<StreamInfo> streams() const override;
  std::optional<PartitionInfo> partition(PartitionId id) const override;
  Task<Result<StreamInfo>> create_stream(StreamSettings settings) override;
  Task<Result<StreamInfo>> alter_stream(StreamId id, StreamSettings settings) override;
  Task<Result<>> retire_stream(StreamId id, std::optional<WallTime> since) override;
  Task<Result<>> delete_stream(StreamId id) override;

  Task<std::vector<AppendedBatch>> append(std::vector<BatchToAppend> batches) override;
  Task<std::vector<AppendedBatch>> append_together(std::vector<BatchToAppend> batches) override;
  Task<std::vector<FetchedPartition>> fetch(std::vector<FetchItem> items,
                                            FetchOptions options) override;
  Task<Result<>> enlist(TransactionalProducer producer,
                        std::vector<PartitionId> partitions) override;
  Task<Result<std::vector<Appended>>> end_transaction(TransactionEnd end) override;
  Task<Result<>> admit_producers(std::vector<AdmittedProducer> producers) override;
  Task<Result<>> forget_producers(std::vector<std::int64_t> ids) override;
  Task<Result<std::vector<OpenTransactionView>>> open_transactions() override;
  Task<Result<std::vector<ProducerView>>> producers(PartitionId partition) override;
  Task<Result<std::int64_t>> new_producer_id() override;
  Task<Result<Offset>> delete_records(PartitionId partition, Offset before) override;
  std::optional<EpochEnd> epoch_end(PartitionId partition, std::int32_t epoch) const override;

 private:
  struct State;
  explicit EmbeddedLog(std::unique_ptr<State> state);
  template <class Records>
  Result<AppendItems> build(std::span<const Records> entry, WallTime now) const;
  Task<Result<std::vector<Appended>>> append_built(Result<AppendItems> items, WallTime now,
                                                   TransactionEnding* ending = nullptr);
  Task<std::vector<AppendedBatch>> submit(std::vector<BatchToAppend> batches, bool together);

  std::unique_ptr<State> state_;
};

}  // namespace weft::eventlog
