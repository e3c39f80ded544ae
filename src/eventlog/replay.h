// Replay: records that are stored already, once more for whoever reads another stream. A consumer
// that lost its state, or is new, reads copies of one key, of a range of offsets or of a time,
// while the stream itself and its other readers go on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "eventlog/event_log.h"
#include "eventlog/streams.h"
#include "runtime/task.h"

namespace weft::eventlog {

// As EventLog::read(), records of one key only: so many and so many bytes of them at most. Ends
// after 100,000 records that were looked at; `next` tells where to go on.
Task<Result<ReadResult>> read_of_key(EventLog& log, ReadRequest request, std::string key);

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

// Appends copies of the range's next records to `into`, in one durable entry; a preview counts and
// checks alone. Copies keep key, value, headers and time (the time of now where `into` has a ttl),
// and tell their origin (origin.h). They go to the partition of the same number where both streams
// have as many, else by key. FailedPrecondition for a record that breaks the contract of `into`:
// nothing of this call is stored. Asked again after a failure it may store copies twice.
Task<Result<Replayed>> replay_some(EventLog& log, ReplayRange range, StreamRef into,
                                   bool is_preview);

}  // namespace weft::eventlog
