#include "telemetry/core/otlp_decode.h"

#include <charconv>

#include "base/bytes.h"
#include "base/json_members.h"
#include "base/json_writer.h"

namespace weft::telemetry {

namespace {

constexpr std::size_t kValueDepthMax = 8;
constexpr std::int64_t kStatusCodeError = 2;
constexpr std::int64_t kTemporalityCumulative = 2;

// 64-bit integers are texts in OTLP's JSON; numbers are taken too.
std::optional<std::int64_t> integer_of(const Json* value) {
  if (value == nullptr) return {};
  std::string_view text = value->is_string()   ? value->as_string()
                          : value->is_number() ? value->number()
                                               : "";
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

std::optional<double> real_of(const Json* value) {
  if (value == nullptr) return {};
  std::string_view text = value->is_string()   ? value->as_string()
                          : value->is_number() ? value->number()
                                               : "";
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

void write_any(JsonWriter& out, const Json& value, std::size_t depth);

void write_pairs(JsonWriter& out, const Json& list, std::size_t depth) {
  out.object();
  if (list.is_array()) {
    for (const auto& pair : list.elements()) {
      if (!pair.is_object()) continue;
      out.key(member_text(pair, "key").value_or(""));
      const auto* value = pair.find("value");
      if (value != nullptr)
        write_any(out, *value, depth);
      else
        out.null();
    }
  }
  out.end();
}

// An AnyValue as plain JSON.
void write_any(JsonWriter& out, const Json& value, std::size_t depth) {
  if (!value.is_object() || depth > kValueDepthMax) {
    out.null();
    return;
  }
  if (const auto* text = value.find("stringValue"); text != nullptr && text->is_string()) {
    out.value(text->as_string());
  } else if (const auto* flag = value.find("boolValue"); flag != nullptr && flag->is_bool()) {
    out.value(flag->as_bool());
  } else if (auto integer = integer_of(value.find("intValue"))) {
    out.value(*integer);
  } else if (auto real = real_of(value.find("doubleValue"))) {
    out.value(*real);
  } else if (const auto* bytes = value.find("bytesValue"); bytes != nullptr && bytes->is_string()) {
    out.value(bytes->as_string());
  } else if (const auto* array = value.find("arrayValue"); array != nullptr && array->is_object()) {
    out.array();
    const auto* values = array->find("values");
    if (values != nullptr && values->is_array()) {
      for (const auto& element : values->elements()) write_any(out, element, depth + 1);
    }
    out.end();
  } else if (const auto* list = value.find("kvlistValue"); list != nullptr && list->is_object()) {
    const auto* values = list->find("values");
    if (values != nullptr)
      write_pairs(out, *values, depth + 1);
    else
      out.object().end();
  } else {
    out.null();
  }
}

// A text as it is, bytes in base64, anything else as JSON.
std::string any_text(const Json* value) {
  if (value == nullptr || !value->is_object()) return {};
  if (const auto* text = value->find("stringValue"); text != nullptr && text->is_string()) {
    return std::string(text->as_string());
  }
  if (const auto* bytes = value->find("bytesValue"); bytes != nullptr && bytes->is_string()) {
    return std::string(bytes->as_string());
  }
  JsonWriter out;
  write_any(out, *value, 0);
  auto json = std::move(out).text();
  return json == "null" ? std::string() : json;
}

OtlpAttributes attributes_of(const Json* object) {
  OtlpAttributes attributes;
  const auto* list =
      object == nullptr || !object->is_object() ? nullptr : object->find("attributes");
  if (list == nullptr || !list->is_array()) return attributes;
  for (const auto& pair : list->elements()) {
    if (!pair.is_object()) continue;
    auto key = member_text(pair, "key").value_or("");
    if (!key.empty()) attributes.emplace_back(key, any_text(pair.find("value")));
  }
  return attributes;
}

std::string_view attribute_in(const OtlpAttributes& attributes, std::string_view key) {
  for (const auto& [name, value] : attributes) {
    if (name == key) return value;
  }
  return {};
}

bool says_who(std::string_view key) {
  return key.starts_with("service.") || key == "telemetry.sdk.language" || key == "host.name";
}

template <std::size_t Size>
bool read_id(std::string_view hex, std::array<char, Size>& id) {
  auto bytes = from_hex(hex);
  if (!bytes || bytes->size() != Size) return false;
  std::copy(bytes->begin(), bytes->end(), id.begin());
  return id != std::array<char, Size>{};
}

// Goes through resource<X>[].scope<X>[].<items>[].
Result<> for_each_item(const Json& request, std::string_view resources, std::string_view scopes,
                       std::string_view items,
                       const std::function<void(const OtlpAttributes& resource, const Json* scope,
                                                const Json& item)>& visit) {
  if (!request.is_object()) return fail(ErrorCode::InvalidArgument, "an OTLP request is an object");
  auto elements_of = [](const Json& object, std::string_view name, auto each) -> Result<> {
    const auto* list = object.find(name);
    if (list == nullptr || list->is_null()) return {};
    if (!list->is_array()) return fail(ErrorCode::InvalidArgument, "{} must be a list", name);
    for (const auto& element : list->elements()) {
      if (!element.is_object())
        return fail(ErrorCode::InvalidArgument, "{} must be a list of objects", name);
      CHECK(each(element));
    }
    return {};
  };
  return elements_of(request, resources, [&](const Json& resource) -> Result<> {
    const auto described = attributes_of(resource.find("resource"));
    return elements_of(resource, scopes, [&](const Json& scope) -> Result<> {
      return elements_of(scope, items, [&](const Json& item) -> Result<> {
        visit(described, scope.find("scope"), item);
        return {};
      });
    });
  });
}

std::string_view read_span(const OtlpAttributes& resource, const Json& item, Span& span) {
  if (!read_id(member_text(item, "traceId").value_or(""), span.context.trace_id))
    return "a traceId is not 16 bytes other than zero";
  if (!read_id(member_text(item, "spanId").value_or(""), span.context.span_id))
    return "a spanId is not 8 bytes other than zero";
  auto parent = member_text(item, "parentSpanId").value_or("");
  if (!parent.empty()) read_id(parent, span.parent_id);
  span.name = member_text(item, "name").value_or("");
  const auto kind = integer_of(item.find("kind")).value_or(1);
  span.kind = kind >= 1 && kind <= 5 ? static_cast<SpanKind>(kind) : SpanKind::Internal;
  auto start = integer_of(item.find("startTimeUnixNano"));
  auto end = integer_of(item.find("endTimeUnixNano"));
  if (!start || !end || *start <= 0 || *end < *start)
    return "a span's times are missing or end before they start";
  span.start = WallTime(Duration(*start));
  span.end = WallTime(Duration(*end));
  for (const auto& [key, value] : resource) {
    if (says_who(key)) span.attributes.emplace_back(key, value);
  }
  for (auto& attribute : attributes_of(&item)) {
    if (!says_who(attribute.first)) span.attributes.push_back(std::move(attribute));
  }
  const auto* status = item.find("status");
  if (status == nullptr || !status->is_object()) return {};
  span.failed = integer_of(status->find("code")) == kStatusCodeError;
  auto message = member_text(*status, "message").value_or("");
  if (!message.empty()) span.attributes.emplace_back("otel.status_description", message);
  return {};
}

LogLevel level_of(std::int64_t severity) {
  if (severity >= 17) return LogLevel::Error;
  if (severity >= 13) return LogLevel::Warn;
  return severity >= 9 || severity == 0 ? LogLevel::Info : LogLevel::Debug;
}

std::string_view read_log(const OtlpAttributes& resource, const Json* scope, const Json& item,
                          ReceivedLog& log) {
  auto time = integer_of(item.find("timeUnixNano")).value_or(0);
  if (time == 0) time = integer_of(item.find("observedTimeUnixNano")).value_or(0);
  if (time < 0) return "a record's time is out of range";
  log.time = WallTime(Duration(time));
  log.level = level_of(integer_of(item.find("severityNumber")).value_or(0));
  log.service = attribute_in(resource, "service.name");
  if (scope != nullptr && scope->is_object()) log.scope = member_text(*scope, "name").value_or("");
  log.body = any_text(item.find("body"));
  std::array<char, 16> trace_id{};
  std::array<char, 8> span_id{};
  if (read_id(member_text(item, "traceId").value_or(""), trace_id))
    log.trace_id = to_hex({trace_id.data(), trace_id.size()});
  if (read_id(member_text(item, "spanId").value_or(""), span_id))
    log.span_id = to_hex({span_id.data(), span_id.size()});
  log.attributes = attributes_of(&item);
  return {};
}

std::string_view read_histogram(const Json& data, ReceivedPoint& point) {
  point.count = static_cast<std::uint64_t>(integer_of(data.find("count")).value_or(0));
  point.value = real_of(data.find("sum")).value_or(0);
  if (const auto* bounds = data.find("explicitBounds"); bounds != nullptr && bounds->is_array()) {
    for (const auto& bound : bounds->elements())
      point.bounds.push_back(real_of(&bound).value_or(0));
  }
  if (const auto* buckets = data.find("bucketCounts"); buckets != nullptr && buckets->is_array()) {
    for (const auto& bucket : buckets->elements()) {
      point.buckets.push_back(static_cast<std::uint64_t>(integer_of(&bucket).value_or(0)));
    }
  }
  if (point.buckets.empty() && point.bounds.empty()) point.buckets = {point.count};
  return point.buckets.size() == point.bounds.size() + 1
             ? ""
             : "a histogram has one bucket more than bounds";
}

std::string_view read_point(ReceivedPoint::Type type, const Json& data, ReceivedPoint& point) {
  point.type = type;
  point.attributes = attributes_of(&data);
  if (type == ReceivedPoint::Type::Histogram) return read_histogram(data, point);
  auto value = real_of(data.find("asDouble"));
  if (!value) value = real_of(data.find("asInt"));
  if (!value) return "a data point has no value";
  point.value = *value;
  return {};
}

struct MetricReader {
  const std::function<std::string_view(ReceivedPoint)>& take;
  OtlpOutcome& outcome;

  void points(const Json& data, ReceivedPoint::Type type, const ReceivedPoint& named,
              std::string_view refusal) {
    const auto* list = data.find("dataPoints");
    if (list == nullptr || !list->is_array()) return;
    for (const auto& element : list->elements()) {
      auto point = named;
      auto why = refusal;
      if (why.empty() && element.is_object()) why = read_point(type, element, point);
      if (why.empty()) why = take(std::move(point));
      if (why.empty())
        ++outcome.accepted;
      else
        outcome.reject(why);
    }
  }

  void metric(const OtlpAttributes& resource, const Json& item) {
    ReceivedPoint named;
    named.name = member_text(item, "name").value_or("");
    named.help = member_text(item, "description").value_or("");
    named.unit = member_text(item, "unit").value_or("");
    named.service = attribute_in(resource, "service.name");
    auto temporality_of = [](const Json& data) -> std::string_view {
      if (integer_of(data.find("aggregationTemporality")) == kTemporalityCumulative) return {};
      return "only cumulative sums and histograms are kept: set the SDK's temporality preference to cumulative";
    };
    if (const auto* data = item.find("gauge"); data != nullptr && data->is_object()) {
      points(*data, ReceivedPoint::Type::Gauge, named, {});
    } else if (data = item.find("sum"); data != nullptr && data->is_object()) {
      const auto* monotonic = data->find("isMonotonic");
      const bool counts = monotonic != nullptr && monotonic->is_bool() && monotonic->as_bool();
      points(*data, counts ? ReceivedPoint::Type::Counter : ReceivedPoint::Type::Gauge, named,
             temporality_of(*data));
    } else if (data = item.find("histogram"); data != nullptr && data->is_object()) {
      points(*data, ReceivedPoint::Type::Histogram, named, temporality_of(*data));
    } else {
      for (auto kind : {"exponentialHistogram", "summary"}) {
        data = item.find(kind);
        if (data == nullptr || !data->is_object()) continue;
        points(*data, ReceivedPoint::Type::Gauge, named,
               "exponential histograms and summaries are not kept");
      }
    }
  }
};

}  // namespace

Result<OtlpOutcome> read_otlp_spans(const Json& request, const std::function<void(Span)>& take) {
  OtlpOutcome outcome;
  CHECK(for_each_item(request, "resourceSpans", "scopeSpans", "spans",
                      [&](const OtlpAttributes& resource, const Json*, const Json& item) {
                        Span span;
                        auto why = read_span(resource, item, span);
                        if (!why.empty()) return outcome.reject(why);
                        take(std::move(span));
                        ++outcome.accepted;
                      }));
  return outcome;
}

Result<OtlpOutcome> read_otlp_logs(const Json& request,
                                   const std::function<void(ReceivedLog)>& take) {
  OtlpOutcome outcome;
  CHECK(for_each_item(request, "resourceLogs", "scopeLogs", "logRecords",
                      [&](const OtlpAttributes& resource, const Json* scope, const Json& item) {
                        ReceivedLog log;
                        auto why = read_log(resource, scope, item, log);
                        if (!why.empty()) return outcome.reject(why);
                        take(std::move(log));
                        ++outcome.accepted;
                      }));
  return outcome;
}

Result<OtlpOutcome> read_otlp_metrics(const Json& request,
                                      const std::function<std::string_view(ReceivedPoint)>& take) {
  OtlpOutcome outcome;
  MetricReader reader{take, outcome};
  CHECK(for_each_item(request, "resourceMetrics", "scopeMetrics", "metrics",
                      [&](const OtlpAttributes& resource, const Json*, const Json& item) {
                        reader.metric(resource, item);
                      }));
  return outcome;
}

}  // namespace weft::telemetry
