#include "app/load/latency_histogram.h"

#include <gmock/gmock.h>

#include <random>

namespace weft::app {
namespace {

TEST(LatencyHistogram, HasNoPercentilesWithoutValues) {
  EXPECT_EQ(LatencyHistogram().percentile(99), Duration{});
  EXPECT_EQ(LatencyHistogram().greatest(), Duration{});
}

TEST(LatencyHistogram, GivesPercentilesThatAreTrueToAHundredthAcrossItsRange) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> exponent(5.0, 11.0);  // 100 µs to 100 s
  std::vector<Duration> values;
  LatencyHistogram histogram;
  for (int i = 0; i < 50'000; ++i) {
    values.emplace_back(static_cast<std::int64_t>(std::pow(10.0, exponent(random))));
    histogram.add(values.back());
  }
  std::ranges::sort(values);

  for (const double percent : {1.0, 50.0, 90.0, 99.0, 99.9}) {
    const auto rank = static_cast<std::size_t>(std::ceil(50'000 * percent / 100.0)) - 1;
    const auto truth = static_cast<double>(values[rank].count());
    const auto told = static_cast<double>(histogram.percentile(percent).count());
    EXPECT_GE(told, truth) << percent;
    EXPECT_LE(told, truth * 1.02 + 1024) << percent;
  }
  EXPECT_EQ(histogram.greatest(), values.back());
  EXPECT_EQ(histogram.percentile(100), values.back());
}

TEST(LatencyHistogram, TakesWhatIsBelowZeroAndBeyondItsRange) {
  LatencyHistogram histogram;

  histogram.add(Duration(-5));
  histogram.add(std::chrono::hours(5));

  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_LE(histogram.percentile(50), Duration(1024));
  EXPECT_EQ(histogram.greatest(), std::chrono::hours(5));
}

TEST(LatencyHistogram, AddsUpToWhatOneWouldHaveSeenAlone) {
  LatencyHistogram left, right, all;
  for (int i = 1; i <= 1000; ++i) {
    (i % 3 == 0 ? left : right).add(std::chrono::microseconds(i * i));
    all.add(std::chrono::microseconds(i * i));
  }

  left.add(right);

  EXPECT_EQ(left.count(), all.count());
  for (const double percent : {10.0, 50.0, 99.0}) {
    EXPECT_EQ(left.percentile(percent), all.percentile(percent));
  }
}

}  // namespace
}  // namespace weft::app
