// The words of the event log: streams, partitions, offsets. A stream is what Kafka calls a topic;
// both words mean the same, "topic" only at the Kafka edge. Values; any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"

namespace weft::eventlog {

// The position of a record in its partition, from 0. Deleted and compacted records leave holes.
using Offset = std::int64_t;

// A stream inside one log; never reused, so a deleted and recreated stream has another id.
enum class StreamId : std::uint32_t {};

struct PartitionId {
  StreamId stream{};
  std::int32_t partition = 0;
  auto operator<=>(const PartitionId&) const = default;
};

// What "acknowledged" means: on the medium (fsync), or in memory, declared as losable.
enum class Durability : std::uint8_t { Disk, Memory };

// What goes: what is older than the retention, what a later record of its key replaces, or both.
enum class Cleanup : std::uint8_t { Delete, Compact, CompactAndDelete };
constexpr bool compacts(Cleanup cleanup) {
  return cleanup != Cleanup::Delete;
}
// As documents and Kafka write it.
constexpr std::string_view cleanup_name(Cleanup cleanup) {
  if (cleanup == Cleanup::Delete) return "delete";
  return cleanup == Cleanup::Compact ? "compact" : "compact,delete";
}

// What is checked before a record is stored.
enum class ValidationPolicy : std::uint8_t { None, Every };

// A stream as declared. Zero durations and sizes mean "no limit".
struct StreamSettings {
  std::string tenant = "default";
  std::string
      name;  // <domain>.<entity>.<past-tense-event>.v<major>; internal streams start with "__"
  std::int32_t partitions = 1;
  Duration retention = std::chrono::hours(24 * 7);
  std::uint64_t retention_bytes = 0;  // per partition
  Durability durability = Durability::Disk;
  Cleanup cleanup = Cleanup::Delete;
  std::uint32_t batch_bytes_max = 1'048'588;

  bool operator==(const StreamSettings&) const = default;
};

// A stream as it exists in the log.
struct StreamInfo {
  StreamId id{};
  Uuid topic_id;  // what the Kafka protocol calls the topic id; durable
  WallTime created{};
  StreamSettings settings;
  // Since when nobody declares it any more: it is not served, and goes after a time of grace.
  std::optional<WallTime> retired{};
};

// Where a partition stands. Records in [start, end) exist, except for holes.
struct PartitionInfo {
  Offset start = 0;
  Offset end = 0;         // high watermark: the next offset; only durable records are below it
  Offset stable_end = 0;  // below it no transaction is open; Kafka: last stable offset
  std::uint64_t bytes = 0;
  std::int32_t leader_epoch = 0;  // rises when recovery truncated acknowledged-looking bytes
};

}  // namespace weft::eventlog

template <>
struct std::hash<weft::eventlog::PartitionId> {
  std::size_t operator()(const weft::eventlog::PartitionId& id) const noexcept {
    return std::hash<std::uint64_t>{}(static_cast<std::uint64_t>(id.stream) << 32 |
                                      static_cast<std::uint32_t>(id.partition));
  }
};
