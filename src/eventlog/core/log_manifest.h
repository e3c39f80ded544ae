// The manifest: which files make up the log, where replay begins, and the state as of a position of
// the write-ahead log. Replaced as a whole. Format: docs/formats/manifest.md. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "eventlog/core/compaction.h"
#include "eventlog/core/log_producers.h"
#include "eventlog/core/log_wal_format.h"
#include "eventlog/core/transaction_index.h"
#include "eventlog/types.h"

namespace weft::eventlog {

inline constexpr std::uint32_t kManifestFormat = 3;
inline constexpr std::uint64_t kManifestBytesMax = 256 * 1024 * 1024;

// From this offset on a partition's batches carry this leader epoch.
struct EpochStart {
  std::int32_t epoch = 0;
  Offset start = 0;
  bool operator==(const EpochStart&) const = default;
};

struct ManifestPartition {
  PartitionId id;
  Offset start = 0;
  Offset next = 0;
  std::vector<EpochStart> epochs;
  TransactionIndex transactions;
  CleanMarks cleaned;
  // Its extents in older segments were replaced by compaction, though other partitions may still
  // need those segments.
  std::uint64_t first_segment = 0;
  bool operator==(const ManifestPartition&) const = default;
};

struct ManifestProducer {
  PartitionId partition;
  std::int64_t id = 0;
  ProducerState state;
  bool operator==(const ManifestProducer&) const = default;
};

struct Manifest {
  Uuid cluster;
  std::uint64_t wal_sequence = 1;  // the first file to replay …
  WalPosition wal_position = 0;    // … and where it begins
  WalPosition state_position = 0;  // what stands below holds all changes before this
  std::uint32_t epoch = 0;
  std::int32_t leader_epoch = 0;
  std::uint32_t next_stream = 1;
  std::int64_t producer_ids_reserved = 1;
  std::uint64_t next_segment = 1;
  std::vector<std::uint64_t> segments;
  std::vector<StreamInfo> streams;
  std::vector<ManifestPartition> partitions;
  std::vector<ManifestProducer> producers;
};

std::string encode_manifest(const Manifest& manifest);
// DataLoss when damaged, FailedPrecondition when a newer version wrote it.
Result<Manifest> decode_manifest(std::string_view bytes);

}  // namespace weft::eventlog
