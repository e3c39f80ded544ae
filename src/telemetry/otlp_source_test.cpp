#include "telemetry/otlp_source.h"

#include <gmock/gmock.h>

#include "base/json.h"
#include "runtime/world.h"
#include "telemetry/core/otlp_decode.h"

namespace weft::telemetry {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

OtlpResource named(std::string name) {
  OtlpResource resource;
  resource.attributes = {{"service.name", std::move(name)}};
  return resource;
}

std::string line(std::string_view message) {
  return fmt::format(
      R"({{"time":"2026-01-02T03:04:05Z","level":"warn","module":"delivery","message":"{}"}})"
      "\n",
      message);
}

std::vector<ReceivedLog> logs_in(const OtlpBatch& batch) {
  std::vector<ReceivedLog> logs;
  auto request = JsonDocument::parse(batch.json);
  EXPECT_TRUE(request && read_otlp_logs(request->root(),
                                        [&](ReceivedLog log) { logs.push_back(std::move(log)); }));
  return logs;
}

// What goes round: written, made Protobuf, read again.
Json const& read_back(OtlpSignal signal, const std::string& json,
                      std::optional<JsonDocument>& keeps) {
  auto text = otlp_json_of(signal, otlp_protobuf_of(request_message(signal), json));
  EXPECT_TRUE(text);
  keeps = std::move(*JsonDocument::parse(std::move(*text)));
  return keeps->root();
}

struct CountingSink final : LogSink {
  void take(LogLevel, std::string_view) override { ++lines; }
  int lines = 0;
};

TEST(OtlpLogs, HandsEachLineOnAndKeepsACopy) {
  World world(1);
  CountingSink store;
  OtlpLogs logs(&store, world.clock, named("weft"), 10'000);

  logs.take(LogLevel::Warn, line("one"));
  logs.take(LogLevel::Warn, line("two"));
  const auto batch = logs.next();

  EXPECT_EQ(store.lines, 2);
  EXPECT_EQ(batch.items, 2U);
  EXPECT_FALSE(batch.has_more);
  EXPECT_EQ(logs.next().items, 0U);
  const auto sent = logs_in(batch);
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(sent[0].body, "one");
  EXPECT_EQ(sent[0].level, LogLevel::Warn);
  EXPECT_EQ(sent[0].scope, "weft.delivery");
  EXPECT_EQ(to_rfc3339(sent[0].time), "2026-01-02T03:04:05.000Z");
}

TEST(OtlpLogs, GivesUpTheOldestLinesWhenTheReceiverIsAwayAndCountsThem) {
  World world(1);
  OtlpLogs logs(nullptr, world.clock, named("weft"), 3 * line("0").size());

  for (int i = 0; i < 8; ++i) logs.take(LogLevel::Warn, line(std::to_string(i)));

  const auto sent = logs_in(logs.next());
  EXPECT_EQ(logs.lost(), 5U);
  ASSERT_THAT(sent, SizeIs(3));
  EXPECT_EQ(sent[0].body, "5");
}

TEST(OtlpLogs, GivesWhatIsMuchInSeveralBatches) {
  World world(1);
  OtlpLogs logs(nullptr, world.clock, named("weft"), 1'000'000);
  for (int i = 0; i < 600; ++i) logs.take(LogLevel::Warn, line(std::to_string(i)));

  const auto first = logs.next();
  const auto second = logs.next();

  EXPECT_TRUE(first.has_more);
  EXPECT_EQ(first.items, 512U);
  EXPECT_FALSE(second.has_more);
  EXPECT_EQ(second.items, 88U);
}

TEST(OtlpLogs, WriteFieldsAsWhatTheyAreAndTheTraceWhereItBelongs) {
  const std::string lines[] = {
      R"({"time":"2026-01-02T03:04:05Z","level":"error","module":"app","message":"m","attempts":3,"is_last":true,)"
      R"("trace_id":"0123456789abcdef0123456789abcdef","ratio":0.5})",
      "no line of ours\n"};
  std::optional<JsonDocument> document;

  const auto& request =
      read_back(OtlpSignal::Logs, otlp_logs_json(lines, named("weft"), WallTime(7s)), document);

  const auto* record = request.at_pointer("/resourceLogs/0/scopeLogs/0/logRecords/0");
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(request.at_pointer("/resourceLogs/0/scopeLogs/0/logRecords")->size(), 1U);
  EXPECT_EQ(record->find("traceId")->as_string(), "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(record->find("severityNumber")->as_int64(), 17);
  EXPECT_EQ(record->find("observedTimeUnixNano")->as_int64(), 7'000'000'000);
  EXPECT_EQ(record->at_pointer("/attributes/0/value/intValue")->as_int64(), 3);
  EXPECT_TRUE(record->at_pointer("/attributes/1/value/boolValue")->as_bool());
  EXPECT_EQ(record->at_pointer("/attributes/2/value/doubleValue")->as_double(), 0.5);
  EXPECT_EQ(record->find("attributes")->size(), 3U);
}

TEST(OtlpMetrics, GiveEachMetricAsItStandsAndAreReadBack) {
  World world(1);
  Metrics metrics;
  metrics.counter("weft_a_total", "Of a", {{"status", "2xx"}}).add(7);
  metrics.gauge("weft_b_bytes", "Of b").set(-5);
  metrics.histogram("weft_c_seconds", "Of c").observe(60us, {'t'}, WallTime(3s));
  int refreshed = 0;
  OtlpMetrics source(metrics, world.clock, named("weft"), [&] { ++refreshed; });
  world.run_for(10s);
  std::optional<JsonDocument> document;

  const auto batch = source.next();

  EXPECT_EQ(refreshed, 1);
  EXPECT_EQ(batch.items, 3U);
  const auto& request = read_back(OtlpSignal::Metrics, batch.json, document);
  std::vector<ReceivedPoint> points;
  auto take = [&](ReceivedPoint point) {
    points.push_back(std::move(point));
    return std::string_view();
  };
  ASSERT_TRUE(read_otlp_metrics(request, take));
  ASSERT_THAT(points, SizeIs(3));
  EXPECT_EQ(points[0].type, ReceivedPoint::Type::Counter);
  EXPECT_EQ(points[0].value, 7);
  EXPECT_THAT(points[0].attributes, ElementsAre(testing::Pair("status", "2xx")));
  EXPECT_EQ(points[1].type, ReceivedPoint::Type::Gauge);
  EXPECT_EQ(points[1].value, -5);
  EXPECT_EQ(points[1].unit, "By");
  EXPECT_EQ(points[2].type, ReceivedPoint::Type::Histogram);
  EXPECT_EQ(points[2].count, 1U);
  EXPECT_EQ(points[2].buckets[1], 1U);
  EXPECT_THAT(points[2].bounds, SizeIs(19));
  const auto* histogram =
      request.at_pointer("/resourceMetrics/0/scopeMetrics/0/metrics/2/histogram/dataPoints/0");
  ASSERT_NE(histogram, nullptr);
  EXPECT_EQ(histogram->at_pointer("/exemplars/0/traceId")->as_string().substr(0, 2), "74");
  const auto started = *histogram->find("startTimeUnixNano")->as_int64();
  EXPECT_EQ(*histogram->find("timeUnixNano")->as_int64() - started, 10'000'000'000);
}

}  // namespace
}  // namespace weft::telemetry
