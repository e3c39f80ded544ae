// What the write-ahead log holds besides batches: changes of streams and of the log's own state.
// Format: docs/formats/wal.md. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "eventlog/core/log_fields.h"
#include "eventlog/types.h"

namespace weft::eventlog {

struct StreamCreated {
  StreamInfo stream;
};
struct StreamAltered {
  StreamId id{};
  StreamSettings settings;
};
struct StreamDeleted {
  StreamId id{};
};
// Producer ids below `next` may have been given out.
struct ProducerIdsReserved {
  std::int64_t next = 0;
};
struct StartMoved {
  PartitionId partition;
  Offset start = 0;
};
// Offsets below `next` may have been acknowledged in bytes that are damaged now; never give them
// again.
struct OffsetsSkipped {
  PartitionId partition;
  Offset next = 0;
};

struct StreamRetired {
  StreamId id{};
  std::optional<WallTime> since;  // absent: declared again
};

using LogCommand = std::variant<StreamCreated, StreamAltered, StreamDeleted, ProducerIdsReserved,
                                StartMoved, OffsetsSkipped, StreamRetired>;

std::string encode_command(const LogCommand& command);
// DataLoss when malformed, FailedPrecondition for a command of a newer version.
Result<LogCommand> decode_command(std::string_view bytes);

// Shared with the manifest.
void write_stream(FieldWriter& fields, const StreamInfo& stream);
StreamInfo read_stream(FieldReader& fields);
void write_retired(FieldWriter& fields, const std::optional<WallTime>& since);
std::optional<WallTime> read_retired(FieldReader& fields);

}  // namespace weft::eventlog
