// OTLP's JSON encoding is Protobuf's, except that ids are hexadecimal and enumerations are numbers
// (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"). 64-bit integers are texts.
#include "telemetry/core/otlp_encode.h"

#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "base/json_members.h"
#include "base/json_writer.h"
#include "telemetry/core/otlp_values.h"

namespace weft::telemetry {

namespace {

constexpr int kStatusError = 2;
constexpr int kCumulative = 2;  // AggregationTemporality

std::string time_text(WallTime time) {
  return std::to_string(time.time_since_epoch().count());
}

template <std::size_t kSize>
std::string hex_text(const std::array<char, kSize>& bytes) {
  return to_hex({bytes.data(), bytes.size()});
}

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

void write_resource(JsonWriter& out, const OtlpResource& resource) {
  out.key("resource").object();
  write_attributes(out, resource.attributes);
  out.end();
}

void write_scope(JsonWriter& out, std::string_view name, const OtlpResource& resource) {
  out.key("scope").object().member("name", name);
  if (!resource.scope_version.empty()) out.member("version", resource.scope_version);
  out.end();
}

void write_span(JsonWriter& out, const SpanView& span) {
  out.object();
  out.member("traceId", hex_text(span.context.trace_id));
  out.member("spanId", hex_text(span.context.span_id));
  if (span.parent_id != std::array<char, 8>{}) out.member("parentSpanId", hex_text(span.parent_id));
  out.member("name", span.name);
  out.member("kind", static_cast<int>(std::to_underlying(span.kind)));
  out.member("startTimeUnixNano", time_text(span.start));
  out.member("endTimeUnixNano", time_text(span.end));
  write_attributes(out, span.attributes);
  if (span.failed) out.key("status").object().member("code", kStatusError).end();
  out.end();
}

void write_exemplars(JsonWriter& out, const std::vector<Exemplar>& exemplars) {
  if (exemplars.empty()) return;
  out.key("exemplars").array();
  for (const auto& exemplar : exemplars) {
    out.object().member("timeUnixNano", time_text(exemplar.at));
    out.member("asDouble", std::chrono::duration<double>(exemplar.value).count());
    out.member("traceId", hex_text(exemplar.trace_id)).end();
  }
  out.end();
}

void write_histogram_values(JsonWriter& out, const MetricSeries& series) {
  out.member("count", std::to_string(series.count)).member("sum", series.sum_seconds);
  out.key("bucketCounts").array();
  for (auto in_bucket : series.buckets) out.value(std::to_string(in_bucket));
  out.end().key("explicitBounds").array();
  for (auto bound : Histogram::bounds()) out.value(bound);
  out.end();
  write_exemplars(out, series.exemplars);
}

void write_point(JsonWriter& out, MetricType type, const MetricSeries& series, WallTime started,
                 WallTime now) {
  out.object();
  write_attributes(out, series.labels);
  if (type != MetricType::Gauge) out.member("startTimeUnixNano", time_text(started));
  out.member("timeUnixNano", time_text(now));
  switch (type) {
    case MetricType::Counter:
      out.member("asInt", std::to_string(series.count));
      break;
    case MetricType::Gauge:
      out.member("asInt", std::to_string(series.value));
      break;
    case MetricType::Histogram:
      write_histogram_values(out, series);
      break;
  }
  out.end();
}

// UCUM, from the suffix that the name has for Prometheus.
std::string_view unit_of(std::string_view name) {
  if (name.ends_with("_total")) name.remove_suffix(std::string_view("_total").size());
  if (name.ends_with("_seconds")) return "s";
  if (name.ends_with("_bytes")) return "By";
  return {};
}

void write_metric(JsonWriter& out, const MetricFamily& family, WallTime started, WallTime now) {
  constexpr std::string_view kKinds[] = {"sum", "gauge", "histogram"};
  out.object().member("name", family.name).member("description", family.help);
  if (auto unit = unit_of(family.name); !unit.empty()) out.member("unit", unit);
  out.key(kKinds[std::to_underlying(family.type)]).object().key("dataPoints").array();
  for (const auto& series : family.series) write_point(out, family.type, series, started, now);
  out.end();
  if (family.type != MetricType::Gauge) out.member("aggregationTemporality", kCumulative);
  if (family.type == MetricType::Counter) out.member("isMonotonic", true);
  out.end().end();
}

// SeverityNumber of logs/v1/logs.proto.
int severity_of(std::string_view level) {
  if (level == "debug") return 5;
  if (level == "warn") return 13;
  return level == "error" ? 17 : 9;
}

void write_field(JsonWriter& out, std::string_view name, const Json& value) {
  out.object().member("key", name).key("value").object();
  if (value.is_string())
    out.member("stringValue", value.as_string());
  else if (value.is_bool())
    out.member("boolValue", value.as_bool());
  else if (auto whole = value.is_number() ? value.as_int64() : std::nullopt)
    out.member("intValue", std::to_string(*whole));
  else if (value.is_number())
    out.member("doubleValue", value.as_double());
  else
    out.member("stringValue", value.raw());
  out.end().end();
}

bool is_trace_id(std::string_view text) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  return text.size() == 2 * sizeof(TraceId) &&
         text.find_first_not_of(kHexDigits) == std::string_view::npos;
}

void write_record(JsonWriter& out, const Json& line, WallTime now) {
  const auto level = text_of(line, "level");
  const auto trace = text_of(line, "trace_id");
  const auto time = parse_rfc3339(text_of(line, "time"));
  out.object();
  if (time) out.member("timeUnixNano", time_text(*time));
  out.member("observedTimeUnixNano", time_text(now));
  out.member("severityNumber", severity_of(level)).member("severityText", level);
  out.key("body").object().member("stringValue", text_of(line, "message")).end();
  out.key("attributes").array();
  for (const auto& member : line.members()) {
    constexpr std::string_view kElsewhere[] = {"time", "level", "module", "message"};
    const auto key = member.key();
    if (std::ranges::find(kElsewhere, key) != std::end(kElsewhere)) continue;
    if (key == "trace_id" && is_trace_id(trace)) continue;
    write_field(out, key, member.value);
  }
  out.end();
  if (is_trace_id(trace)) out.member("traceId", trace);
  out.end();
}

}  // namespace

std::string otlp_spans_json(std::span<const SpanSlice> spans, const OtlpResource& resource) {
  JsonWriter out;
  out.object().key("resourceSpans").array().object();
  write_resource(out, resource);
  out.key("scopeSpans").array().object();
  write_scope(out, resource.scope_name, resource);
  out.key("spans").array();
  std::vector<AttributeView> attributes;
  for (const auto& slice : spans) {
    for (auto i = slice.first; i < slice.last; ++i)
      write_span(out, slice.chunk->view(i, attributes));
  }
  out.end().end().end().end().end().end();
  return std::move(out).text();
}

std::string otlp_metrics_json(std::span<const MetricFamily> families, const OtlpResource& resource,
                              WallTime started, WallTime now) {
  JsonWriter out;
  out.object().key("resourceMetrics").array().object();
  write_resource(out, resource);
  out.key("scopeMetrics").array().object();
  write_scope(out, resource.scope_name, resource);
  out.key("metrics").array();
  for (const auto& family : families) write_metric(out, family, started, now);
  out.end().end().end().end().end().end();
  return std::move(out).text();
}

std::string otlp_logs_json(std::span<const std::string> lines, const OtlpResource& resource,
                           WallTime now) {
  std::map<std::string, std::vector<JsonDocument>, std::less<>> by_module;
  for (const auto& line : lines) {
    auto document = JsonDocument::parse(line);
    if (!document || !document->root().is_object()) continue;
    by_module[std::string(text_of(document->root(), "module"))].push_back(std::move(*document));
  }
  JsonWriter out;
  out.object().key("resourceLogs").array().object();
  write_resource(out, resource);
  out.key("scopeLogs").array();
  for (const auto& [module, documents] : by_module) {
    out.object();
    write_scope(out, resource.scope_name + "." + module, resource);
    out.key("logRecords").array();
    for (const auto& document : documents) write_record(out, document.root(), now);
    out.end().end();
  }
  out.end().end().end().end();
  return std::move(out).text();
}

}  // namespace weft::telemetry
