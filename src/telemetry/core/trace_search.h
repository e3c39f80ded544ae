// Finding traces among the spans of some chunks. Pure; any thread.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "telemetry/core/span_chunk.h"
#include "telemetry/trace_store.h"

namespace weft::telemetry {

using Chunks = std::span<const std::shared_ptr<const SpanChunk>>;

std::string hex_of(const TraceId& id);

// The ids that begin with these hexadecimal digits, at most two: enough to tell that there are
// several. InvalidArgument when it is not lower-case hexadecimal of 4 to 32 digits.
Result<std::vector<TraceId>> ids_with_prefix(Chunks chunks, std::string_view prefix);

// All spans of a trace, by start; among equals parents before children is not promised.
std::vector<Span> spans_of(Chunks chunks, const TraceId& id);

// Newest first; `service` is that of spans that name none. is_complete is left true.
std::vector<std::pair<TraceId, TraceSummary>> search_traces(Chunks chunks, const TraceQuery& query,
                                                            std::string_view service);

}  // namespace weft::telemetry
