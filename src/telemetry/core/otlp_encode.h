// Spans as an OTLP ExportTraceServiceRequest (opentelemetry-proto 1.x), in its Protobuf and its
// JSON encoding. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "telemetry/core/span_chunk.h"

namespace weft::telemetry {

struct OtlpResource {
  // service.name, service.version and what else describes this process.
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string scope_name = "weft";
  std::string scope_version{};
};

std::string otlp_protobuf(std::span<const SpanSlice> spans, const OtlpResource& resource);
std::string otlp_json(std::span<const SpanSlice> spans, const OtlpResource& resource);

}  // namespace weft::telemetry
