// The settings of the embedded log. Every limit is here, with the default that a small machine
// wants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "runtime/task.h"

namespace weft::eventlog {

class WalArchive;

// Where the log runs. `log` is a loop that may block in writes and syncs; `background` one that may
// block for longer, in placement and retention. Simulation gives the world's one loop for both.
struct LogExecutors {
  Executor log;
  Executor background;
};

// Deliberate defects, which the simulation must find. Never set outside of tests.
enum class LogMutant : std::uint8_t {
  None,
  AcknowledgeBeforeSync,
  TornTailAccepted,
  UnarchivedForgotten,
  OpenTransactionsForgotten,
  AbortedRecordsCompact,
  ProducersForgotten,
  FailedSyncAcknowledged,
  FullForEver,
  SegmentUnsynced,
  PlacedFilesGoEarly,
  RetentionUnsynced,
  RetentionTooEager,
};

struct LogOptions {
  std::string folder;

  std::uint64_t wal_file_bytes = 32 * 1024 * 1024;
  // A write-ahead file with data is sealed at this age, so that quiet streams meet their retention.
  Duration wal_age_max = std::chrono::minutes(10);
  std::uint64_t group_bytes_max =
      8 * 1024 * 1024;  // one write and sync; larger backlogs take turns

  std::size_t queue_requests_max = 65'536;
  std::uint64_t queue_bytes_max = 64 * 1024 * 1024;

  std::uint64_t tail_bytes_max =
      8 * 1024 * 1024;  // recent batches kept in memory, over all partitions
  std::uint64_t memory_partition_bytes_max = 16 * 1024 * 1024;  // a partition of a `memory` stream
  std::size_t open_files_max = 64;  // for reading; writers hold at most four more
  std::size_t cold_read_threads = 2;
  std::size_t cold_reads_queued_max = 4096;

  std::uint64_t disk_reserve_bytes = 128 * 1024 * 1024;  // appends are refused when less is free
  std::uint64_t own_segment_bytes =
      8 * 1024 * 1024;                  // a partition with more in one round gets its file
  std::size_t small_segments_max = 16;  // more are merged
  std::uint64_t small_segment_bytes = 8 * 1024 * 1024;

  std::size_t producers_max = 50'000;  // remembered for idempotence, over all partitions
  Duration producer_expiry = std::chrono::hours(24);
  Duration maintenance_interval = std::chrono::seconds(10);  // retention, free space, idle marker

  WalArchive* archive = nullptr;  // null: none; outlives the log
  std::uint64_t archive_waiting_bytes_max =
      std::uint64_t{2} << 30;  // of sealed files; above it the oldest is given up

  std::optional<LogExecutors> executors;  // absent: two threads of its own
  // A stream that compacts is compacted when so much of it, in hundredths, is new since the last
  // time, and at least so many bytes.
  std::uint32_t compaction_percent = 50;
  std::uint64_t compaction_bytes_min = 64 * 1024;
  std::size_t compaction_memory_bytes = 64 * 1024 * 1024;  // for the keys of one turn
  // How long a record without a value stays after it was compacted first (Kafka:
  // delete.retention.ms).
  Duration deletions_retention = std::chrono::hours(24);
  // Of one partition, whose records are still there: beyond that no transaction may write to it.
  std::size_t aborted_transactions_max = 100'000;
  // The scrub reads all segments once per interval, no faster than this; 0: it is off.
  std::uint64_t scrub_bytes_per_second = 0;
  Duration scrub_interval = std::chrono::hours(24 * 7);
  LogMutant mutant = LogMutant::None;
};

}  // namespace weft::eventlog
