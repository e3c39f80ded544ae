// Protobuf's wire format, by tables of the messages that OTLP's requests are made of. check: table
#include <array>
#include <bit>
#include <optional>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "telemetry/core/otlp_decode.h"
#include "telemetry/core/otlp_values.h"

namespace weft::telemetry {

namespace {

constexpr std::size_t kWireDepthMax = 24;

enum class WireKind : std::uint8_t { Text, Hex, Base64, Bool, Int, Fixed64, SignedFixed64, Fixed32, Double, Message };

struct WireMessage;

struct WireField {
  std::uint32_t number;
  std::string_view name;
  WireKind kind;
  bool repeats = false;
  const WireMessage* message = nullptr;
};

struct WireMessage {
  std::span<const WireField> fields;
};

extern const WireMessage any_value_wire;
extern const WireMessage key_value_wire;

constexpr WireField kArrayFields[] = {{1, "values", WireKind::Message, true, &any_value_wire}};
constexpr WireMessage kArray{kArrayFields};
constexpr WireField kKeyValueListFields[] = {{1, "values", WireKind::Message, true, &key_value_wire}};
constexpr WireMessage kKeyValueList{kKeyValueListFields};
constexpr WireField kAnyValueFields[] = {
    {1, "stringValue", WireKind::Text},  {2, "boolValue", WireKind::Bool},
    {3, "intValue", WireKind::Int},      {4, "doubleValue", WireKind::Double},
    {5, "arrayValue", WireKind::Message, false, &kArray},
    {6, "kvlistValue", WireKind::Message, false, &kKeyValueList},
    {7, "bytesValue", WireKind::Base64}};
const WireMessage any_value_wire{kAnyValueFields};
constexpr WireField kKeyValueFields[] = {{1, "key", WireKind::Text},
                                         {2, "value", WireKind::Message, false, &any_value_wire}};
const WireMessage key_value_wire{kKeyValueFields};
constexpr WireField kResourceFields[] = {{1, "attributes", WireKind::Message, true, &key_value_wire}};
constexpr WireMessage kResourceWire{kResourceFields};
constexpr WireField kScopeFields[] = {{1, "name", WireKind::Text}, {2, "version", WireKind::Text}};
constexpr WireMessage kScopeWire{kScopeFields};

constexpr WireField kStatusFields[] = {{2, "message", WireKind::Text}, {3, "code", WireKind::Int}};
constexpr WireMessage kStatusWire{kStatusFields};
constexpr WireField kSpanFields[] = {{1, "traceId", WireKind::Hex},
                                     {2, "spanId", WireKind::Hex},
                                     {4, "parentSpanId", WireKind::Hex},
                                     {5, "name", WireKind::Text},
                                     {6, "kind", WireKind::Int},
                                     {7, "startTimeUnixNano", WireKind::Fixed64},
                                     {8, "endTimeUnixNano", WireKind::Fixed64},
                                     {9, "attributes", WireKind::Message, true, &key_value_wire},
                                     {15, "status", WireKind::Message, false, &kStatusWire}};
constexpr WireMessage kSpanWire{kSpanFields};
constexpr WireField kScopeSpansFields[] = {{1, "scope", WireKind::Message, false, &kScopeWire},
                                           {2, "spans", WireKind::Message, true, &kSpanWire}};
constexpr WireMessage kScopeSpans{kScopeSpansFields};
constexpr WireField kResourceSpansFields[] = {{1, "resource", WireKind::Message, false, &kResourceWire},
                                              {2, "scopeSpans", WireKind::Message, true, &kScopeSpans}};
constexpr WireMessage kResourceSpans{kResourceSpansFields};
constexpr WireField kTracesFields[] = {{1, "resourceSpans", WireKind::Message, true, &kResourceSpans}};
constexpr WireMessage kTraces{kTracesFields};

constexpr WireField kLogRecordFields[] = {{1, "timeUnixNano", WireKind::Fixed64},
                                          {11, "observedTimeUnixNano", WireKind::Fixed64},
                                          {2, "severityNumber", WireKind::Int},
                                          {3, "severityText", WireKind::Text},
                                          {5, "body", WireKind::Message, false, &any_value_wire},
                                          {6, "attributes", WireKind::Message, true, &key_value_wire},
                                          {9, "traceId", WireKind::Hex},
                                          {10, "spanId", WireKind::Hex}};
constexpr WireMessage kLogRecord{kLogRecordFields};
constexpr WireField kScopeLogsFields[] = {{1, "scope", WireKind::Message, false, &kScopeWire},
                                          {2, "logRecords", WireKind::Message, true, &kLogRecord}};
constexpr WireMessage kScopeLogs{kScopeLogsFields};
constexpr WireField kResourceLogsFields[] = {{1, "resource", WireKind::Message, false, &kResourceWire},
                                             {2, "scopeLogs", WireKind::Message, true, &kScopeLogs}};
constexpr WireMessage kResourceLogs{kResourceLogsFields};
constexpr WireField kLogsFields[] = {{1, "resourceLogs", WireKind::Message, true, &kResourceLogs}};
constexpr WireMessage kLogs{kLogsFields};

constexpr WireField kNumberPointFields[] = {{7, "attributes", WireKind::Message, true, &key_value_wire},
                                            {4, "asDouble", WireKind::Double},
                                            {6, "asInt", WireKind::SignedFixed64},
                                            {8, "flags", WireKind::Int}};
constexpr WireMessage kNumberPoint{kNumberPointFields};
constexpr WireField kGaugeFields[] = {{1, "dataPoints", WireKind::Message, true, &kNumberPoint}};
constexpr WireMessage kGauge{kGaugeFields};
constexpr WireField kSumFields[] = {{1, "dataPoints", WireKind::Message, true, &kNumberPoint},
                                    {2, "aggregationTemporality", WireKind::Int},
                                    {3, "isMonotonic", WireKind::Bool}};
constexpr WireMessage kSum{kSumFields};
constexpr WireField kHistogramPointFields[] = {{9, "attributes", WireKind::Message, true, &key_value_wire},
                                               {4, "count", WireKind::Fixed64},
                                               {5, "sum", WireKind::Double},
                                               {6, "bucketCounts", WireKind::Fixed64, true},
                                               {7, "explicitBounds", WireKind::Double, true}};
constexpr WireMessage kHistogramPoint{kHistogramPointFields};
constexpr WireField kHistogramFields[] = {{1, "dataPoints", WireKind::Message, true, &kHistogramPoint},
                                          {2, "aggregationTemporality", WireKind::Int}};
constexpr WireMessage kHistogram{kHistogramFields};
constexpr WireField kAnyPointFields[] = {{4, "count", WireKind::Fixed64}};
constexpr WireMessage kAnyPoint{kAnyPointFields};
constexpr WireField kOtherKindFields[] = {{1, "dataPoints", WireKind::Message, true, &kAnyPoint}};
constexpr WireMessage kOtherKind{kOtherKindFields};
constexpr WireField kMetricFields[] = {{1, "name", WireKind::Text},
                                       {2, "description", WireKind::Text},
                                       {3, "unit", WireKind::Text},
                                       {5, "gauge", WireKind::Message, false, &kGauge},
                                       {7, "sum", WireKind::Message, false, &kSum},
                                       {9, "histogram", WireKind::Message, false, &kHistogram},
                                       {10, "exponentialHistogram", WireKind::Message, false, &kOtherKind},
                                       {11, "summary", WireKind::Message, false, &kOtherKind}};
constexpr WireMessage kMetric{kMetricFields};
constexpr WireField kScopeMetricsFields[] = {{1, "scope", WireKind::Message, false, &kScopeWire},
                                             {2, "metrics", WireKind::Message, true, &kMetric}};
constexpr WireMessage kScopeMetrics{kScopeMetricsFields};
constexpr WireField kResourceMetricsFields[] = {{1, "resource", WireKind::Message, false, &kResourceWire},
                                                {2, "scopeMetrics", WireKind::Message, true, &kScopeMetrics}};
constexpr WireMessage kResourceMetrics{kResourceMetricsFields};
constexpr WireField kMetricsFields[] = {{1, "resourceMetrics", WireKind::Message, true, &kResourceMetrics}};
constexpr WireMessage kMetricsWire{kMetricsFields};

constexpr std::uint32_t kWireVarint = 0;
constexpr std::uint32_t kWireFixed64 = 1;
constexpr std::uint32_t kWireBytes = 2;
constexpr std::uint32_t kWireFixed32 = 5;

// One field as it stands on the wire.
struct WireValue {
  std::uint32_t number = 0;
  std::uint32_t type = 0;
  std::uint64_t integer = 0;
  std::string_view bytes;
};

std::optional<std::uint64_t> take_varint(std::string_view& rest) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
  return {};
}

template <class Number>
std::uint64_t take_fixed(std::string_view& rest) {
  Number value;
  std::memcpy(&value, rest.data(), sizeof value);
  rest.remove_prefix(sizeof value);
  return value;
}

// The next field; absent when the message is malformed. Requires: not empty.
std::optional<WireValue> take_field(std::string_view& rest) {
  auto tag = take_varint(rest);
  if (!tag || (*tag >> 3) == 0 || (*tag >> 3) > 0x1fffffff) return {};
  WireValue value;
  value.number = static_cast<std::uint32_t>(*tag >> 3);
  value.type = static_cast<std::uint32_t>(*tag & 7);
  if (value.type == kWireFixed64 && rest.size() >= 8) {
    value.integer = take_fixed<std::uint64_t>(rest);
    return value;
  }
  if (value.type == kWireFixed32 && rest.size() >= 4) {
    value.integer = take_fixed<std::uint32_t>(rest);
    return value;
  }
  if (value.type != kWireVarint && value.type != kWireBytes) return {};
  auto number = take_varint(rest);
  if (!number) return {};
  value.integer = *number;
  if (value.type == kWireVarint) return value;
  if (*number > rest.size()) return {};
  value.bytes = rest.substr(0, static_cast<std::size_t>(*number));
  rest.remove_prefix(value.bytes.size());
  return value;
}

bool is_well_formed(std::string_view message) {
  while (!message.empty()) {
    if (!take_field(message)) return false;
  }
  return true;
}

std::uint32_t type_of(WireKind kind) {
  switch (kind) {
    case WireKind::Bool:
    case WireKind::Int: return kWireVarint;
    case WireKind::Fixed64:
    case WireKind::SignedFixed64:
    case WireKind::Double: return kWireFixed64;
    case WireKind::Fixed32: return kWireFixed32;
    case WireKind::Text:
    case WireKind::Hex:
    case WireKind::Base64:
    case WireKind::Message: return kWireBytes;
  }
  return kWireBytes;
}

bool write_message(JsonWriter& out, const WireMessage& message, std::string_view bytes, std::size_t depth);

bool write_value(JsonWriter& out, const WireField& field, const WireValue& value, std::size_t depth) {
  switch (field.kind) {
    case WireKind::Text: {
      std::string buffer;
      out.value(otlp_text(value.bytes, buffer));
      return true;
    }
    case WireKind::Hex: out.value(to_hex(value.bytes)); return true;
    case WireKind::Base64: out.value(to_base64(value.bytes)); return true;
    case WireKind::Bool: out.value(value.integer != 0); return true;
    case WireKind::Fixed64:
    case WireKind::Fixed32: out.value(value.integer); return true;
    case WireKind::Int:
    case WireKind::SignedFixed64: out.value(static_cast<std::int64_t>(value.integer)); return true;
    case WireKind::Double: {
      const auto number = std::bit_cast<double>(value.integer);
      if (number - number == 0) out.value(number);
      else out.value(number > 0 ? "Infinity" : number < 0 ? "-Infinity" : "NaN");
      return true;
    }
    case WireKind::Message: return write_message(out, *field.message, value.bytes, depth + 1);
  }
  return false;
}

// All values of a repeated field; numbers may be packed.
bool write_all(JsonWriter& out, const WireField& field, std::string_view bytes, std::size_t depth) {
  while (!bytes.empty()) {
    const auto value = *take_field(bytes);
    if (value.number != field.number) continue;
    if (value.type == type_of(field.kind)) {
      if (!write_value(out, field, value, depth)) return false;
      continue;
    }
    if (value.type != kWireBytes || type_of(field.kind) != kWireFixed64 || value.bytes.size() % 8 != 0) return false;
    for (auto packed = value.bytes; !packed.empty();) {
      WireValue one;
      one.integer = take_fixed<std::uint64_t>(packed);
      write_value(out, field, one, depth);
    }
  }
  return true;
}

bool write_message(JsonWriter& out, const WireMessage& message, std::string_view bytes, std::size_t depth) {
  if (depth > kWireDepthMax || !is_well_formed(bytes)) return false;
  out.object();
  for (const auto& field : message.fields) {
    std::optional<WireValue> last;
    for (auto rest = bytes; !rest.empty();) {
      auto value = *take_field(rest);
      if (value.number == field.number) last = value;
    }
    if (!last) continue;
    out.key(field.name);
    if (field.repeats) {
      out.array();
      if (!write_all(out, field, bytes, depth)) return false;
      out.end();
    } else if (last->type != type_of(field.kind) || !write_value(out, field, *last, depth)) {
      return false;
    }
  }
  out.end();
  return true;
}

}  // namespace

Result<std::string> otlp_json_of(OtlpSignal signal, std::string_view protobuf) {
  const auto& message = signal == OtlpSignal::Traces ? kTraces : signal == OtlpSignal::Logs ? kLogs : kMetricsWire;
  JsonWriter out;
  if (write_message(out, message, protobuf, 0)) return std::move(out).text();
  return fail(ErrorCode::InvalidArgument, "the body is no OTLP request in Protobuf");
}

}  // namespace weft::telemetry
