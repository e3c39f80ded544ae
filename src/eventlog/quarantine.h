// The quarantine of a stream: <stream>.dlq, a stream of its own that holds the records which broke
// the contract, as they were sent, with what is wrong in their headers. Nobody else writes to it.
// Once the contract or the records' cause is mended, redrive() brings them back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "eventlog/batch_log.h"
#include "eventlog/event_log.h"
#include "eventlog/streams.h"
#include "runtime/task.h"

namespace weft::eventlog {

// Headers of records in quarantine, beside those that tell where they were sent (origin.h).
inline constexpr std::string_view kQuarantineReason = "weft-reason";
inline constexpr std::string_view kQuarantinePrincipal = "weft-principal";

std::string quarantine_name(std::string_view stream);

// FailedPrecondition for a quarantine, into which nobody else may write.
Result<> check_open_to_writers(const Stream& stream);

struct RedriveResult {
  std::uint64_t stored = 0;  // they keep the contract now, and are in the stream
  std::uint64_t kept = 0;    // they still break it, and are at the end of the quarantine
};

// Looks at all records of the quarantine again, in order. What keeps the contract goes to the
// partition that it was sent to, at a new offset; the rest is put back at the end, with its new
// reason; then what was looked at is deleted. Each step is durable before the next: after a crash
// in between, records may be in the stream twice, none is lost. Conflict while another one is under
// way. Where the stream has a ttl, records get the time of now.
Task<Result<RedriveResult>> redrive(EventLog& log, BatchLog& batches, StreamRef stream,
                                    StreamRef quarantine);

}  // namespace weft::eventlog
