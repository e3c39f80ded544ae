// Weft's own telemetry as OTLP requests (opentelemetry-proto 1.x). Each is written in the JSON
// encoding; Protobuf is made of that, so that there is one writer per signal. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "runtime/metrics.h"
#include "telemetry/core/otlp_messages.h"
#include "telemetry/core/span_chunk.h"

namespace weft::telemetry {

struct OtlpResource {
  // service.name, service.version and what else describes this process.
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string scope_name = "weft";
  std::string scope_version{};
};

std::string otlp_spans_json(std::span<const SpanSlice> spans, const OtlpResource& resource);

// Counters are cumulative sums from `started` on. Exemplars go with their histograms.
std::string otlp_metrics_json(std::span<const MetricFamily> families, const OtlpResource& resource,
                              WallTime started, WallTime now);

// Of lines as log_line() writes them; the module is the scope. What is no such line is left out.
std::string otlp_logs_json(std::span<const std::string> lines, const OtlpResource& resource,
                           WallTime now);

// Requires: the JSON encoding of such a message, as the functions above give it.
std::string otlp_protobuf_of(const WireMessage& message, std::string json);

}  // namespace weft::telemetry
