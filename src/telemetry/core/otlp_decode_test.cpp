#include "telemetry/core/otlp_decode.h"

#include <gmock/gmock.h>

#include "telemetry/core/otlp_encode.h"

namespace weft::telemetry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr std::string_view kTraceHex = "4bf92f3577b34da6a3ce929d0e0e4736";

JsonDocument json(std::string text) {
  auto document = JsonDocument::parse(std::move(text));
  EXPECT_TRUE(document) << document.error().message;
  return std::move(*document);
}

std::vector<Span> spans_in(const JsonDocument& request, OtlpOutcome& outcome) {
  std::vector<Span> spans;
  auto read = read_otlp_spans(request.root(), [&](Span span) { spans.push_back(std::move(span)); });
  EXPECT_TRUE(read) << read.error().message;
  if (read) outcome = *read;
  return spans;
}

// What Weft's own exporter sends is read back as it was, from both encodings.
TEST(OtlpDecode, ReadsWhatTheExporterWrites) {
  SeededRandom random(1);
  auto chunk = std::make_shared<SpanChunk>();
  Span span;
  span.context = TraceContext::start(random);
  span.parent_id.fill('p');
  span.name = "POST /orders";
  span.kind = SpanKind::Server;
  span.start = WallTime(Duration(1'772'366'400'000'000'123));
  span.end = span.start + 5ms;
  span.failed = true;
  span.attributes = {{"http.route", "/orders"}, {"http.response.status_code", "500"}};
  chunk->append(span);
  OtlpResource resource;
  resource.attributes = {{"service.name", "weft"}, {"service.version", "1"}, {"other", "left out"}};
  const SpanSlice slice{chunk, 0, 1};

  auto from_protobuf =
      otlp_json_of(OtlpSignal::Traces, otlp_protobuf_of(request_message(OtlpSignal::Traces),
                                                        otlp_spans_json({&slice, 1}, resource)));
  ASSERT_TRUE(from_protobuf) << from_protobuf.error().message;
  for (const auto& text : {*from_protobuf, otlp_spans_json({&slice, 1}, resource)}) {
    OtlpOutcome outcome;
    auto request = json(text);
    auto spans = spans_in(request, outcome);
    ASSERT_EQ(spans.size(), 1U) << text;
    EXPECT_EQ(outcome.accepted, 1U);
    EXPECT_EQ(outcome.rejected, 0U);
    const auto& got = spans[0];
    EXPECT_EQ(got.context.trace_id, span.context.trace_id);
    EXPECT_EQ(got.context.span_id, span.context.span_id);
    EXPECT_EQ(got.parent_id, span.parent_id);
    EXPECT_EQ(got.name, span.name);
    EXPECT_EQ(got.kind, span.kind);
    EXPECT_EQ(got.start, span.start);
    EXPECT_EQ(got.end, span.end);
    EXPECT_TRUE(got.failed);
    EXPECT_THAT(
        got.attributes,
        ElementsAre(Pair("service.name", "weft"), Pair("service.version", "1"),
                    Pair("http.route", "/orders"), Pair("http.response.status_code", "500")));
  }
}

TEST(OtlpDecode, TellsOfSpansThatCannotBeKept) {
  OtlpOutcome outcome;
  auto request =
      json(R"({"resourceSpans": [{"scopeSpans": [{"spans": [
    {"traceId": "00000000000000000000000000000000", "spanId": "00f067aa0ba902b7", "startTimeUnixNano": "1", "endTimeUnixNano": "2"},
    {"traceId": ")" +
           std::string(kTraceHex) +
           R"(", "spanId": "short", "startTimeUnixNano": "1", "endTimeUnixNano": "2"},
    {"traceId": ")" +
           std::string(kTraceHex) +
           R"(", "spanId": "00f067aa0ba902b7", "startTimeUnixNano": "2", "endTimeUnixNano": "1"},
    {"traceId": ")" +
           std::string(kTraceHex) +
           R"(", "spanId": "00f067aa0ba902b7", "startTimeUnixNano": 1, "endTimeUnixNano": 2}
  ]}]}]})");

  auto spans = spans_in(request, outcome);

  EXPECT_EQ(spans.size(), 1U);
  EXPECT_EQ(outcome.accepted, 1U);
  EXPECT_EQ(outcome.rejected, 3U);
  EXPECT_THAT(outcome.reason, HasSubstr("traceId"));
}

TEST(OtlpDecode, ReadsEveryKindOfValue) {
  OtlpOutcome outcome;
  auto request =
      json(R"({"resourceSpans": [{"scopeSpans": [{"spans": [
    {"traceId": ")" +
           std::string(kTraceHex) +
           R"(", "spanId": "00f067aa0ba902b7", "startTimeUnixNano": "1", "endTimeUnixNano": "2",
     "status": {"code": 2, "message": "broken"},
     "attributes": [
      {"key": "text", "value": {"stringValue": "a"}}, {"key": "flag", "value": {"boolValue": true}},
      {"key": "integer", "value": {"intValue": "-7"}}, {"key": "real", "value": {"doubleValue": 1.5}},
      {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "x"}, {"intValue": 1}]}}},
      {"key": "map", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"stringValue": "v"}}]}}},
      {"key": "bytes", "value": {"bytesValue": "AQI="}}, {"key": "none", "value": {}}]}
  ]}]}]})");

  auto spans = spans_in(request, outcome);

  ASSERT_EQ(spans.size(), 1U);
  EXPECT_THAT(spans[0].attributes,
              ElementsAre(Pair("text", "a"), Pair("flag", "true"), Pair("integer", "-7"),
                          Pair("real", "1.5"), Pair("list", R"(["x",1])"),
                          Pair("map", R"({"k":"v"})"), Pair("bytes", "AQI="), Pair("none", ""),
                          Pair("otel.status_description", "broken")));
  EXPECT_TRUE(spans[0].failed);
}

TEST(OtlpDecode, ReadsLogRecords) {
  auto request = json(
      R"({"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "crm"}}]},
    "scopeLogs": [{"scope": {"name": "crm.orders"}, "logRecords": [
      {"timeUnixNano": "1772366400000000000", "severityNumber": 17, "body": {"stringValue": "no stock"},
       "traceId": ")" +
      std::string(kTraceHex) + R"(", "spanId": "00f067aa0ba902b7",
       "attributes": [{"key": "order", "value": {"stringValue": "SO-1"}}]},
      {"observedTimeUnixNano": "5", "severityNumber": 5, "body": {"kvlistValue": {"values": []}}}]}]}]})");
  std::vector<ReceivedLog> logs;

  auto read =
      read_otlp_logs(request.root(), [&](ReceivedLog log) { logs.push_back(std::move(log)); });

  ASSERT_TRUE(read);
  ASSERT_EQ(logs.size(), 2U);
  EXPECT_EQ(logs[0].level, LogLevel::Error);
  EXPECT_EQ(logs[0].service, "crm");
  EXPECT_EQ(logs[0].scope, "crm.orders");
  EXPECT_EQ(logs[0].body, "no stock");
  EXPECT_EQ(logs[0].trace_id, kTraceHex);
  EXPECT_THAT(logs[0].attributes, ElementsAre(Pair("order", "SO-1")));
  EXPECT_EQ(logs[1].level, LogLevel::Debug);
  EXPECT_EQ(logs[1].time, WallTime(Duration(5)));
}

TEST(OtlpDecode, ReadsCumulativeMetricsAndRefusesTheRest) {
  auto request = json(R"({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
    {"name": "temperature", "unit": "Cel", "gauge": {"dataPoints": [{"asDouble": 21.5}, {"attributes": []}]}},
    {"name": "jobs", "sum": {"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [{"asInt": "3"}]}},
    {"name": "open", "sum": {"aggregationTemporality": 2, "dataPoints": [{"asInt": 2}]}},
    {"name": "delta", "sum": {"aggregationTemporality": 1, "isMonotonic": true, "dataPoints": [{"asInt": 2}]}},
    {"name": "time", "histogram": {"aggregationTemporality": 2, "dataPoints": [
       {"count": "3", "sum": 4.5, "bucketCounts": ["1", 2], "explicitBounds": [1]}, {"count": "3", "bucketCounts": [1], "explicitBounds": [1]}]}},
    {"name": "old", "summary": {"dataPoints": [{}]}}]}]}]})");
  std::vector<ReceivedPoint> points;

  auto read = read_otlp_metrics(request.root(), [&](ReceivedPoint point) -> std::string_view {
    points.push_back(std::move(point));
    return {};
  });

  ASSERT_TRUE(read);
  EXPECT_EQ(read->accepted, 4U);
  EXPECT_EQ(read->rejected, 4U);
  ASSERT_EQ(points.size(), 4U);
  EXPECT_EQ(points[0].value, 21.5);
  EXPECT_EQ(points[1].type, ReceivedPoint::Type::Counter);
  EXPECT_EQ(points[1].value, 3);
  EXPECT_EQ(points[2].type, ReceivedPoint::Type::Gauge);
  EXPECT_THAT(points[3].buckets, ElementsAre(1, 2));
}

TEST(OtlpDecode, RefusesWhatIsNoRequest) {
  for (const char* text : {"[]", "3", R"({"resourceSpans": 3})", R"({"resourceSpans": [3]})",
                           R"({"resourceSpans": [{"scopeSpans": {}}]})"}) {
    EXPECT_FALSE(read_otlp_spans(json(text).root(), [](Span) {})) << text;
  }
  EXPECT_TRUE(read_otlp_spans(json("{}").root(), [](Span) {}));
}

// Every cut and every single damaged byte of a request is read or refused, never more.
TEST(OtlpDecode, SurvivesDamagedProtobuf) {
  SeededRandom random(1);
  auto chunk = std::make_shared<SpanChunk>();
  Span span;
  span.context = TraceContext::start(random);
  span.name = "GET /x";
  span.start = WallTime(Duration(1'000));
  span.end = span.start + 1ms;
  span.attributes = {{"http.response.status_code", "200"}, {"a", "b"}};
  chunk->append(span);
  const SpanSlice slice{chunk, 0, 1};
  OtlpResource resource;
  resource.attributes = {{"service.name", "weft"}};
  const auto whole =
      otlp_protobuf_of(request_message(OtlpSignal::Traces), otlp_spans_json({&slice, 1}, resource));

  for (std::size_t i = 0; i < whole.size(); ++i) {
    auto cut = otlp_json_of(OtlpSignal::Traces, std::string_view(whole).substr(0, i));
    if (cut) {
      EXPECT_TRUE(JsonDocument::parse(std::move(*cut))) << i;
    }
    for (int bit = 0; bit < 8; ++bit) {
      auto bad = whole;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      auto read = otlp_json_of(OtlpSignal::Traces, bad);
      if (!read) continue;
      auto document = JsonDocument::parse(std::move(*read));
      ASSERT_TRUE(document) << i << " " << bit;
      auto outcome = read_otlp_spans(document->root(), [](Span) {});
      EXPECT_TRUE(outcome);
    }
  }
}

}  // namespace
}  // namespace weft::telemetry
