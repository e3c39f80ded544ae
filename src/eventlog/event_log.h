// The face of the log that features use: records, and only what a Kafka cluster can do as well.
// Back ends: embedded/ (our own durable log) and kafka_cluster/ (a Kafka cluster by librdkafka).
//
// Thread-safe: call from any loop; a task resumes on its caller's loop. Nothing is validated here
// against a schema: the doors do that through StreamCatalogue (streams.h) before they append.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "eventlog/types.h"
#include "runtime/task.h"

namespace weft::eventlog {

// A record to be appended. `headers` keep their order; names may repeat.
struct NewRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;
  WallTime timestamp{};  // zero: time of append
};

struct NewRecords {
  StreamId stream{};
  std::int32_t partition =
      -1;  // -1: by the first record's key (murmur2, as Kafka's clients), else any
  std::vector<NewRecord> records;
};

// The same over memory of the caller's, for paths that append at a high rate. The caller keeps the
// bytes and the lists until the append has returned.
struct BorrowedRecord {
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::span<const std::pair<std::string_view, std::string_view>> headers;
  WallTime timestamp{};  // zero: time of append
};

struct BorrowedRecords {
  StreamId stream{};
  std::int32_t partition = -1;  // as in NewRecords
  std::span<const BorrowedRecord> records;
};

struct Appended {
  PartitionId partition;
  Offset first_offset = 0;
  WallTime time{};
};

struct Record {
  Offset offset = 0;
  WallTime timestamp{};
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;

  // The last header of that name, or absent.
  std::optional<std::string_view> header(std::string_view name) const;
};

struct ReadRequest {
  PartitionId partition;
  Offset from = 0;
  std::uint32_t bytes_max = 1024 * 1024;  // at least one batch is returned even if it is larger
  std::uint32_t records_max = 10'000;
  Duration wait{};  // how long to wait for a first record; zero: do not
  // Up to the stable end, and without what was aborted; else all that is durable.
  bool committed_only = true;
};

struct ReadResult {
  std::vector<Record> records;  // empty when the wait ended without one
  Offset next = 0;              // where to go on; beyond holes
  PartitionInfo partition;
};

// Writes under a name that one process has at a time. Whoever opens the name later, anywhere,
// fences the one before: what that one appends is refused from then on, so a process that was taken
// for dead changes nothing any more. Thread-safe, as the log, which outlives it.
class EventWriter {
 public:
  virtual ~EventWriter() = default;
  // As EventLog::append_borrowed(); Conflict when fenced, and then for ever.
  virtual Task<Result<std::vector<Appended>>> append_borrowed(
      std::span<const BorrowedRecords> entry) = 0;
  // The same.
  Task<Result<std::vector<Appended>>> append(std::vector<NewRecords> entry);
};

class EventLog {
 public:
  virtual ~EventLog() = default;

  // The log may hold streams of others: what nobody here declares is let alone, and several
  // processes write to it.
  virtual bool is_shared() const { return false; }

  // Appends all of it or nothing, in one entry of the write-ahead log (embedded). Done when it is
  // durable as its streams declare. Errors: NotFound, InvalidArgument (batch too large),
  // ResourceExhausted (disk full, queue full), Unavailable (log stopped after a failed sync).
  virtual Task<Result<std::vector<Appended>>> append(std::vector<NewRecords> entry) = 0;
  // The same. A back end that does not override it gets a copy by append().
  virtual Task<Result<std::vector<Appended>>> append_borrowed(
      std::span<const BorrowedRecords> entry);

  // Nothing that an earlier holder of the name appended comes after this. The default, for a log of
  // one process: appends to the log itself, and nothing is fenced.
  virtual Task<Result<std::unique_ptr<EventWriter>>> open_writer(std::string name);

  // OutOfRange below the start or beyond the end of the partition.
  virtual Task<Result<ReadResult>> read(ReadRequest request) = 0;

  // The first offset whose record has a timestamp at or after `time`; the end when there is none.
  virtual Task<Result<Offset>> offset_at(PartitionId partition, WallTime time) = 0;

  virtual std::optional<StreamInfo> find_stream(std::string_view tenant,
                                                std::string_view name) const = 0;
  virtual std::optional<StreamInfo> stream(StreamId id) const = 0;
  virtual std::vector<StreamInfo> streams() const = 0;
  virtual std::optional<PartitionInfo> partition(PartitionId id) const = 0;

  // Durable when it returns. AlreadyExists for a taken name.
  virtual Task<Result<StreamInfo>> create_stream(StreamSettings settings) = 0;
  // Partitions can only grow. NotFound, InvalidArgument.
  virtual Task<Result<StreamInfo>> alter_stream(StreamId id, StreamSettings settings) = 0;
  // Says since when a stream is declared no more; absent: it is declared again. Its records stay.
  virtual Task<Result<>> retire_stream(StreamId id, std::optional<WallTime> since) = 0;
  virtual Task<Result<>> delete_stream(StreamId id) = 0;
};

// The partition that Kafka's default partitioner picks for a key (murmur2).
std::int32_t partition_of_key(std::string_view key, std::int32_t partitions);

}  // namespace weft::eventlog
