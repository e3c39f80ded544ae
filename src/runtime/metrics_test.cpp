#include "runtime/metrics.h"

#include <gmock/gmock.h>

#include <thread>

namespace weft {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(Counter, LosesNoIncrementOfAnyThread) {
  Counter counter;
  auto add = [&] {
    for (int i = 0; i < 10'000; ++i) counter.add();
  };

  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i) threads.emplace_back(add);
  for (auto& thread : threads) thread.join();

  EXPECT_EQ(counter.value(), 120'000U);
}

TEST(Histogram, PutsAValueThatEqualsABoundIntoThatBucket) {
  Histogram histogram;

  histogram.observe(50us);
  histogram.observe(50us + 1ns);
  histogram.observe(60s);
  histogram.observe(61s);

  auto buckets = histogram.buckets();
  EXPECT_EQ(buckets.size(), Histogram::bounds().size() + 1);
  EXPECT_EQ(buckets[0], 1U);
  EXPECT_EQ(buckets[1], 1U);
  EXPECT_EQ(buckets[18], 1U);
  EXPECT_EQ(buckets[19], 1U);
  EXPECT_EQ(histogram.count(), 4U);
  EXPECT_NEAR(histogram.sum_seconds(), 121.0001, 1e-6);
}

TEST(Histogram, BoundsInSecondsAreThoseThatValuesAreSortedBy) {
  for (std::size_t i = 0; i < Histogram::bounds().size(); ++i) {
    Histogram histogram;
    const auto bound = Histogram::bounds()[i];
    histogram.observe(std::chrono::nanoseconds(static_cast<long>(bound * 1e9 + 0.5)));
    EXPECT_EQ(histogram.buckets()[i], 1U) << bound;
  }
}

TEST(Histogram, EstimatesQuantilesWithinTheBucket) {
  Histogram histogram;
  for (int i = 0; i < 90; ++i) histogram.observe(3ms);
  for (int i = 0; i < 10; ++i) histogram.observe(80ms);

  EXPECT_EQ(Histogram().quantile(0.5), 0);
  EXPECT_THAT(histogram.quantile(0.5), testing::AllOf(testing::Gt(0.0025), testing::Le(0.005)));
  EXPECT_THAT(histogram.quantile(0.99), testing::AllOf(testing::Gt(0.05), testing::Le(0.1)));
}

TEST(Histogram, CountsATimeThatRanBackwardsAsZero) {
  Histogram histogram;

  histogram.observe(-5ms);

  EXPECT_EQ(histogram.buckets()[0], 1U);
  EXPECT_EQ(histogram.sum_seconds(), 0);
}

TEST(Metrics, GivesTheSameHandleForTheSameLabelsInAnyOrder) {
  Metrics metrics;

  auto& one = metrics.counter("weft_x_total", "x", {{"a", "1"}, {"b", "2"}});
  auto& same = metrics.counter("weft_x_total", "x", {{"b", "2"}, {"a", "1"}});
  auto& other = metrics.counter("weft_x_total", "x", {{"a", "1"}, {"b", "3"}});

  EXPECT_EQ(&one, &same);
  EXPECT_NE(&one, &other);
}

TEST(Metrics, WritesThePrometheusTextFormat) {
  Metrics metrics;
  metrics.counter("weft_b_total", "Two\nlines \\ \"quoted\"", {{"route", "a\"b\\c\nd"}}).add(3);
  metrics.counter("weft_b_total", "", {}).add();
  metrics.gauge("weft_a_open", "Open things").set(-2);

  EXPECT_EQ(metrics.prometheus_text(),
            "# HELP weft_a_open Open things\n"
            "# TYPE weft_a_open gauge\n"
            "weft_a_open -2\n"
            "# HELP weft_b_total Two\\nlines \\\\ \"quoted\"\n"
            "# TYPE weft_b_total counter\n"
            "weft_b_total 1\n"
            "weft_b_total{route=\"a\\\"b\\\\c\\nd\"} 3\n");
}

TEST(Metrics, WritesHistogramsCumulatively) {
  Metrics metrics;
  auto& histogram = metrics.histogram("weft_a_seconds", "Time", {{"route", "x"}});
  histogram.observe(70us);
  histogram.observe(2min);

  auto text = metrics.prometheus_text();

  EXPECT_THAT(text, HasSubstr("# TYPE weft_a_seconds histogram\n"));
  EXPECT_THAT(text, HasSubstr("weft_a_seconds_bucket{route=\"x\",le=\"5e-05\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("weft_a_seconds_bucket{route=\"x\",le=\"0.0001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("weft_a_seconds_bucket{route=\"x\",le=\"60\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("weft_a_seconds_bucket{route=\"x\",le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("weft_a_seconds_sum{route=\"x\"} 120.00007\n"));
  EXPECT_THAT(text, HasSubstr("weft_a_seconds_count{route=\"x\"} 2\n"));
}

TEST(Metrics, WritesOpenMetrics) {
  Metrics metrics;
  metrics.counter("weft_b_total", "Say \"b\"").add(3);
  metrics.gauge("weft_a_open", "Open things").set(-2);

  EXPECT_EQ(metrics.openmetrics_text(),
            "# HELP weft_a_open Open things\n"
            "# TYPE weft_a_open gauge\n"
            "weft_a_open -2\n"
            "# HELP weft_b Say \\\"b\\\"\n"
            "# TYPE weft_b counter\n"
            "weft_b_total 3\n"
            "# EOF\n");
}

constexpr WallTime kNoon{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + 12h};

std::array<char, 16> trace_of(char digit) {
  std::array<char, 16> id;
  id.fill(digit);
  return id;
}

TEST(Metrics, ShowsTheLatestTraceOfABucketInOpenMetricsAlone) {
  Metrics metrics;
  auto& histogram = metrics.histogram("weft_a_seconds", "Time");
  histogram.observe(2s, trace_of('\x11'), kNoon);
  histogram.observe(1s + 500ms, trace_of('\x22'), kNoon + 999ms);
  histogram.observe(2500us, trace_of('\x33'), kNoon + 250ms);

  auto text = metrics.openmetrics_text();

  EXPECT_THAT(text, HasSubstr("weft_a_seconds_bucket{le=\"1.0\"} 1\n"));
  EXPECT_THAT(text,
              HasSubstr("weft_a_seconds_bucket{le=\"2.5\"} 3 # "
                        "{trace_id=\"11111111111111111111111111111111\"} 2 1772366400.000\n"));
  EXPECT_THAT(text,
              HasSubstr("weft_a_seconds_bucket{le=\"0.0025\"} 1 # "
                        "{trace_id=\"33333333333333333333333333333333\"} 0.0025 1772366400.250\n"));
  EXPECT_THAT(metrics.prometheus_text(), testing::Not(HasSubstr("trace_id")));
  histogram.observe(2s, trace_of('\x44'), kNoon + 1s);
  EXPECT_THAT(metrics.openmetrics_text(), HasSubstr("44444444444444444444444444444444"));
}

TEST(ExemplarSlot, IsNeverReadHalfWritten) {
  ExemplarSlot slot;
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) {
      auto read = slot.read();
      if (!read) continue;
      EXPECT_EQ(read->trace_id, trace_of(static_cast<char>(read->value.count())));
    }
  });

  for (int i = 1; i < 50'000; ++i) {
    const auto digit = static_cast<char>(i % 100 + 1);
    slot.offer({trace_of(digit), std::chrono::nanoseconds(digit), kNoon + kExemplarInterval * i});
  }
  done = true;
  reader.join();

  EXPECT_TRUE(slot.read());
}

TEST(MetricsDeathTest, AbortsWhenOneNameIsUsedForTwoTypes) {
  Metrics metrics;
  metrics.counter("weft_x", "x");

  EXPECT_DEATH(metrics.gauge("weft_x", "x"), "a metric name has one type");
}

TEST(Metrics, GivesASnapshotOfAllThatThereAre) {
  Metrics metrics;
  metrics.counter("weft_b_total", "Of b", {{"z", "1"}, {"a", "say \"hi\""}}).add(7);
  metrics.gauge("weft_c", "Of c").set(-3);
  auto& latency = metrics.histogram("weft_a_seconds", "Of a");
  latency.observe(60us);
  latency.observe(2s, {'t'}, WallTime(5s));

  const auto families = metrics.snapshot();

  ASSERT_EQ(families.size(), 3U);
  EXPECT_EQ(families[0].name, "weft_a_seconds");
  EXPECT_EQ(families[0].type, MetricType::Histogram);
  EXPECT_EQ(families[0].series[0].count, 2U);
  EXPECT_DOUBLE_EQ(families[0].series[0].sum_seconds, 2.00006);
  EXPECT_EQ(families[0].series[0].buckets[1], 1U);
  ASSERT_EQ(families[0].series[0].exemplars.size(), 1U);
  EXPECT_EQ(families[0].series[0].exemplars[0].value, 2s);
  EXPECT_EQ(families[1].name, "weft_b_total");
  EXPECT_EQ(families[1].help, "Of b");
  EXPECT_EQ(families[1].type, MetricType::Counter);
  EXPECT_EQ(families[1].series[0].count, 7U);
  EXPECT_EQ(families[1].series[0].labels, (Labels{{"a", "say \"hi\""}, {"z", "1"}}));
  EXPECT_EQ(families[2].type, MetricType::Gauge);
  EXPECT_EQ(families[2].series[0].value, -3);
}

}  // namespace
}  // namespace weft
