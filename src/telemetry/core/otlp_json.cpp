// OTLP's JSON encoding is Protobuf's, except that ids are hexadecimal and enumerations are numbers
// (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"). 64-bit integers are texts.
#include <utility>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "telemetry/core/otlp_encode.h"
#include "telemetry/core/otlp_values.h"

namespace weft::telemetry {

namespace {

constexpr int kStatusError = 2;

void write_attribute(JsonWriter& out, std::string_view key, std::string_view text) {
  out.object().member("key", key).key("value").object();
  if (auto number = otlp_integer(key, text))
    out.member("intValue", std::to_string(*number));
  else
    out.member("stringValue", text);
  out.end().end();
}

template <class Attributes>
void write_attributes(JsonWriter& out, const Attributes& attributes) {
  out.key("attributes").array();
  for (const auto& [key, value] : attributes) write_attribute(out, key, value);
  out.end();
}

std::string time_text(WallTime time) {
  return std::to_string(time.time_since_epoch().count());
}

void write_span(JsonWriter& out, const SpanView& span) {
  out.object();
  out.member("traceId", span.context.trace_id_hex());
  out.member("spanId", span.context.span_id_hex());
  if (span.parent_id != std::array<char, 8>{}) {
    out.member("parentSpanId", to_hex({span.parent_id.data(), span.parent_id.size()}));
  }
  out.member("name", span.name);
  out.member("kind", static_cast<int>(std::to_underlying(span.kind)));
  out.member("startTimeUnixNano", time_text(span.start));
  out.member("endTimeUnixNano", time_text(span.end));
  write_attributes(out, span.attributes);
  if (span.failed) out.key("status").object().member("code", kStatusError).end();
  out.end();
}

}  // namespace

std::string otlp_json(std::span<const SpanSlice> spans, const OtlpResource& resource) {
  JsonWriter out;
  out.object().key("resourceSpans").array().object();
  out.key("resource").object();
  write_attributes(out, resource.attributes);
  out.end();
  out.key("scopeSpans").array().object();
  out.key("scope").object().member("name", resource.scope_name);
  if (!resource.scope_version.empty()) out.member("version", resource.scope_version);
  out.end();
  out.key("spans").array();
  std::vector<AttributeView> attributes;
  for (const auto& slice : spans) {
    for (auto i = slice.first; i < slice.last; ++i) {
      write_span(out, slice.chunk->view(i, attributes));
    }
  }
  out.end().end().end().end().end().end();
  return std::move(out).text();
}

}  // namespace weft::telemetry
