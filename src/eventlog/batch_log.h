// The second face of the embedded log: raw Kafka v2 record batches, for the kafka/ edge alone.
// Bytes on disk are bytes on the wire; only base offset, leader epoch and, where the stream asks
// for it, the append time are written into the header.
//
// Thread-safe: call from any loop; a task resumes on its caller's loop. Appends of one caller to
// one partition keep their order.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eventlog/core/file_bytes.h"
#include "eventlog/core/transaction_index.h"
#include "eventlog/event_log.h"
#include "eventlog/types.h"
#include "runtime/task.h"

namespace weft::eventlog {

// Requires: magic 2, CRC verified, record count and last offset delta agree, length is the batch's
// own.
struct BatchToAppend {
  PartitionId partition;
  std::string batch;
  // Stands or falls with the batch before it, in one write-ahead entry; when one of them is
  // refused, the others report Stopped.
  bool with_previous = false;
};

// What became of one batch; the Kafka edge turns it into an error code.
enum class AppendStatus : std::uint8_t {
  Appended,
  Duplicate,           // same producer id and sequence: the first one's offset is given
  OutOfOrderSequence,  // a gap in an idempotent producer's sequence
  StaleProducerEpoch,  // fenced by a newer epoch
  NotInTransaction,    // transactional, but its producer has not enlisted the partition; or the
                       // other way round
  UnknownPartition,
  TooLarge,
  DiskFull,
  Stopped,     // the log stopped after a failed write or sync, or is shutting down
  Overloaded,  // the queue's limit is reached
};

struct AppendedBatch {
  AppendStatus status = AppendStatus::Appended;
  Offset base_offset = -1;
  Offset log_start = 0;
  std::int64_t append_time_ms = -1;  // -1: the batch keeps its create times
};

struct FetchItem {
  PartitionId partition;
  Offset from = 0;
  std::uint32_t bytes_max = 1024 * 1024;
};

struct FetchOptions {
  std::uint32_t bytes_max = 50 * 1024 * 1024;  // over all partitions; the first batch always fits
  std::uint32_t bytes_min = 1;                 // parked until this many are there …
  Duration wait{};                             // … or this long
  bool committed_only = false;                 // up to the stable end
  bool from_files = false;  // long runs of batches may stay in their file, as `files`
};

// Whole batches, each a shared immutable buffer (tail of the log) or read from a segment.
struct FetchedPartition {
  PartitionId partition;
  std::optional<ErrorCode> error;  // NotFound, OutOfRange, DataLoss
  PartitionInfo info;
  std::vector<std::shared_ptr<const std::string>> batches;
  // Whole batches too, checked as the others or known to be intact; with `from_files` alone.
  std::vector<FileBytesBefore> files;
  Offset next = 0;  // where to go on: behind the batches, or behind a hole where there are none
  // Of those transactions the batches do not count; with `committed_only` alone.
  std::vector<AbortedTransaction> aborted;

  bool is_empty() const { return batches.empty() && files.empty(); }
};

// A producer that writes in transactions, and with which epoch.
struct TransactionalProducer {
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  bool operator==(const TransactionalProducer&) const = default;
};

struct AdmittedProducer {
  TransactionalProducer producer;
  std::string tenant;  // whose streams it may write to
};

// The end of a producer's transaction: markers in every partition that it wrote to, and `with`, in
// one write-ahead entry, so all of it counts or nothing. A transaction in which nothing was written
// may end, too: then `with` is all.
struct TransactionEnd {
  TransactionalProducer producer;  // with the epoch that counts from now on; older ones are fenced
  bool commits = false;
  std::vector<NewRecords> with;
};

struct OpenTransactionView {
  TransactionalProducer producer;
  WallTime since{};
  std::vector<PartitionId> enlisted;
  std::vector<std::pair<PartitionId, Offset>> written;  // with the first offset there
};

// Where a leader epoch ended, for clients that look for truncation (KIP-320).
struct EpochEnd {
  std::int32_t epoch = 0;  // the largest known epoch that is not above the one asked for
  Offset end = 0;          // the first offset after it
};

// A producer as one partition knows it.
struct ProducerView {
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  std::int32_t last_sequence = -1;  // -1: it sent none that is remembered
  std::int64_t last_ms = 0;         // when it last appended, since 1970
  Offset transaction_start = -1;    // of its open transaction; -1: there is none
};

class BatchLog {
 public:
  virtual ~BatchLog() = default;

  // One outcome per batch, in order; every durable stream's batch is durable when this returns.
  virtual Task<std::vector<AppendedBatch>> append(std::vector<BatchToAppend> batches) = 0;
  // All or nothing in one write-ahead entry; for producers whose batches belong together. When one
  // batch is refused the others report Stopped and nothing is stored.
  virtual Task<std::vector<AppendedBatch>> append_together(std::vector<BatchToAppend> batches) = 0;

  virtual Task<std::vector<FetchedPartition>> fetch(std::vector<FetchItem> items,
                                                    FetchOptions options) = 0;

  // Partitions become part of the producer's transaction, which begins if there is none. NotFound:
  // no such producer (end_transaction() makes one known); Conflict: its epoch is another one.
  virtual Task<Result<>> enlist(TransactionalProducer producer,
                                std::vector<PartitionId> partitions) = 0;
  // Durable when it returns: where `with` went. Conflict: a newer epoch is known. Other errors as
  // append()'s; then the transaction is still open.
  virtual Task<Result<std::vector<Appended>>> end_transaction(TransactionEnd end) = 0;
  // After a start, for each producer that may go on; its transaction, if there is one, was
  // recovered.
  virtual Task<Result<>> admit_producers(std::vector<AdmittedProducer> producers) = 0;
  // Requires that none of them has a transaction.
  virtual Task<Result<>> forget_producers(std::vector<std::int64_t> ids) = 0;
  virtual Task<Result<std::vector<OpenTransactionView>>> open_transactions() = 0;
  // NotFound.
  virtual Task<Result<std::vector<ProducerView>>> producers(PartitionId partition) = 0;

  // A fresh producer id with epoch 0; durable enough never to be given twice.
  virtual Task<Result<std::int64_t>> new_producer_id() = 0;

  // Moves the partition's start up to `before`, durably; gives the start as it is then (a start
  // never moves down). NotFound; OutOfRange beyond the end.
  virtual Task<Result<Offset>> delete_records(PartitionId partition, Offset before) = 0;
  // Absent for an unknown partition.
  virtual std::optional<EpochEnd> epoch_end(PartitionId partition, std::int32_t epoch) const = 0;
};

}  // namespace weft::eventlog
