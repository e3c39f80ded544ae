// Replay: records that are stored already, once more for whoever reads another stream. A consumer
// that lost its state, or is new, reads copies of one key, of a range of offsets or of a time,
// while the stream itself and its other readers go on.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "base/result.h"
#include "eventlog/event_log.h"
#include "eventlog/streams.h"
#include "runtime/task.h"

namespace weft::eventlog {

// As EventLog::read(), records of one key only: so many and so many bytes of them at most. Ends
// at `until` or soon behind it, and after 100,000 records that were looked at; `next` tells where
// to go on.
Task<Result<ReadResult>> read_of_key(EventLog& log, ReadRequest request, std::string key,
                                     Offset until = std::numeric_limits<Offset>::max());

struct ReplayRange {
  PartitionId from;
  Offset first = 0;                // not below the partition's start
  Offset until = 0;                // the first offset that is left out; not above the stable end
  std::optional<std::string> key;  // of which alone; absent: of all
};

struct Replayed {
  Offset next = 0;  // where to go on; `until` at the end
  std::uint64_t records = 0;
};

// Appends copies of the range's next records to `into`, in one durable entry of about a MiB; a
// preview counts and checks alone. Copies keep key, value, headers and time (that of now where
// `into` would hide or delete what is so old), and tell their origin (origin.h). They go to the
// partition of the same number where both streams have as many, else by key. On an error nothing of
// this call is stored, so far as is known: asked again it may store copies twice.
// FailedPrecondition names the record that `into` cannot take; Unavailable: the log has no more.
Task<Result<Replayed>> replay_some(EventLog& log, ReplayRange range, StreamRef into, WallTime now,
                                   bool is_preview);

}  // namespace weft::eventlog
