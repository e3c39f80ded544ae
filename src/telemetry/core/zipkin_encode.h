// Spans as Zipkin's collector takes them (POST /api/v2/spans): a JSON list of v2 spans
// (zipkin.io/zipkin-api, zipkin2-api.yaml). What OpenTelemetry has and Zipkin has not goes as its
// specification says ("OpenTelemetry to Zipkin Transformation"). Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "telemetry/core/span_chunk.h"

namespace weft::telemetry {

// Spans that name no service in service.name are `service`'s.
std::string zipkin_spans_json(std::span<const SpanSlice> spans, std::string_view service);

}  // namespace weft::telemetry
