#include <utility>

#include "telemetry/core/otlp_encode.h"
#include "telemetry/core/otlp_values.h"

namespace weft::telemetry {

namespace {

// Protobuf's wire types.
constexpr std::uint32_t kVarint = 0;
constexpr std::uint32_t kFixed64 = 1;
constexpr std::uint32_t kBytes = 2;

// Field numbers of opentelemetry/proto/trace/v1/trace.proto and its imports.
namespace request {
constexpr std::uint32_t kResourceSpans = 1;
}
namespace resource_spans {
constexpr std::uint32_t kResource = 1;
constexpr std::uint32_t kScopeSpans = 2;
}  // namespace resource_spans
namespace resource_message {
constexpr std::uint32_t kAttributes = 1;
}
namespace scope_spans {
constexpr std::uint32_t kScope = 1;
constexpr std::uint32_t kSpans = 2;
}  // namespace scope_spans
namespace scope {
constexpr std::uint32_t kName = 1;
constexpr std::uint32_t kVersion = 2;
}  // namespace scope
namespace span_message {
constexpr std::uint32_t kTraceId = 1;
constexpr std::uint32_t kSpanId = 2;
constexpr std::uint32_t kParentSpanId = 4;
constexpr std::uint32_t kName = 5;
constexpr std::uint32_t kKind = 6;
constexpr std::uint32_t kStart = 7;
constexpr std::uint32_t kEnd = 8;
constexpr std::uint32_t kAttributes = 9;
constexpr std::uint32_t kStatus = 15;
}  // namespace span_message
namespace status {
constexpr std::uint32_t kCode = 3;
constexpr std::uint64_t kError = 2;
}  // namespace status
namespace key_value {
constexpr std::uint32_t kKey = 1;
constexpr std::uint32_t kValue = 2;
}  // namespace key_value
namespace any_value {
constexpr std::uint32_t kString = 1;
constexpr std::uint32_t kInt = 3;
}  // namespace any_value

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void put_tag(std::string& out, std::uint32_t field, std::uint32_t type) {
  put_varint(out, (field << 3) | type);
}

void put_bytes(std::string& out, std::uint32_t field, std::string_view bytes) {
  put_tag(out, field, kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

void put_text(std::string& out, std::uint32_t field, std::string_view text) {
  std::string buffer;
  put_bytes(out, field, otlp_text(text, buffer));
}

void put_number(std::string& out, std::uint32_t field, std::uint64_t number) {
  put_tag(out, field, kVarint);
  put_varint(out, number);
}

void put_time(std::string& out, std::uint32_t field, WallTime time) {
  put_tag(out, field, kFixed64);
  auto nanoseconds = static_cast<std::uint64_t>(time.time_since_epoch().count());
  for (int i = 0; i < 8; ++i, nanoseconds >>= 8) out += static_cast<char>(nanoseconds & 0xff);
}

void put_attribute(std::string& out, std::uint32_t field, std::string_view key,
                   std::string_view text) {
  std::string value;
  if (auto number = otlp_integer(key, text)) {
    put_number(value, any_value::kInt, static_cast<std::uint64_t>(*number));
  } else {
    put_text(value, any_value::kString, text);
  }
  std::string pair;
  put_text(pair, key_value::kKey, key);
  put_bytes(pair, key_value::kValue, value);
  put_bytes(out, field, pair);
}

template <std::size_t kSize>
std::string_view view_of(const std::array<char, kSize>& bytes) {
  return {bytes.data(), bytes.size()};
}

std::string span_text(const SpanView& span) {
  std::string out;
  put_bytes(out, span_message::kTraceId, view_of(span.context.trace_id));
  put_bytes(out, span_message::kSpanId, view_of(span.context.span_id));
  if (span.parent_id != std::array<char, 8>{}) {
    put_bytes(out, span_message::kParentSpanId, view_of(span.parent_id));
  }
  put_text(out, span_message::kName, span.name);
  put_number(out, span_message::kKind, static_cast<std::uint64_t>(std::to_underlying(span.kind)));
  put_time(out, span_message::kStart, span.start);
  put_time(out, span_message::kEnd, span.end);
  for (const auto& [key, value] : span.attributes) {
    put_attribute(out, span_message::kAttributes, key, value);
  }
  if (span.failed) {
    std::string failure;
    put_number(failure, status::kCode, status::kError);
    put_bytes(out, span_message::kStatus, failure);
  }
  return out;
}

std::string scope_text(std::span<const SpanSlice> slices, const OtlpResource& resource) {
  std::string scope_fields;
  put_text(scope_fields, scope::kName, resource.scope_name);
  if (!resource.scope_version.empty()) {
    put_text(scope_fields, scope::kVersion, resource.scope_version);
  }
  std::string out;
  put_bytes(out, scope_spans::kScope, scope_fields);
  std::vector<AttributeView> attributes;
  for (const auto& slice : slices) {
    for (auto i = slice.first; i < slice.last; ++i) {
      put_bytes(out, scope_spans::kSpans, span_text(slice.chunk->view(i, attributes)));
    }
  }
  return out;
}

}  // namespace

std::string otlp_protobuf(std::span<const SpanSlice> spans, const OtlpResource& resource) {
  std::string resource_fields;
  for (const auto& [key, value] : resource.attributes) {
    put_attribute(resource_fields, resource_message::kAttributes, key, value);
  }
  std::string group;
  put_bytes(group, resource_spans::kResource, resource_fields);
  put_bytes(group, resource_spans::kScopeSpans, scope_text(spans, resource));
  std::string out;
  put_bytes(out, request::kResourceSpans, group);
  return out;
}

}  // namespace weft::telemetry
