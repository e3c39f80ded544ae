#include "telemetry/sampling_limit.h"

#include <gtest/gtest.h>

namespace weft::telemetry {
namespace {

// Feeds a steady rate for some seconds, five times a second; returns the last ratio.
struct Traffic {
  explicit Traffic(SamplingLimit& with) : limit(with) { limit.next(0, now); }

  double run(std::uint64_t spans_per_second, int seconds) {
    double ratio = 1;
    for (int step = 0; step < 5 * seconds; ++step) {
      now += 200ms;
      spans += spans_per_second / 5;
      ratio = limit.next(spans, now);
    }
    return ratio;
  }

  SamplingLimit& limit;
  MonoTime now{};
  std::uint64_t spans = 0;
};

TEST(SamplingLimit, KeepsTheRatioOfAQuietNode) {
  SamplingLimit all(1, 500);
  SamplingLimit few(0.01, 500);

  EXPECT_EQ(Traffic(all).run(400, 10), 1);
  EXPECT_EQ(Traffic(few).run(400, 10), 0.01);
}

TEST(SamplingLimit, HoldsTheRateOfABusyNode) {
  SamplingLimit limit(1, 500);

  EXPECT_DOUBLE_EQ(Traffic(limit).run(50'000, 10), 0.01);
}

TEST(SamplingLimit, AnswersABurstAtOnceAndALullSlowly) {
  SamplingLimit limit(1, 500);
  Traffic traffic(limit);

  EXPECT_EQ(traffic.run(100, 5), 1);
  EXPECT_DOUBLE_EQ(traffic.run(5'000, 1), 0.1);
  EXPECT_LT(traffic.run(100, 1), 0.2);
  EXPECT_EQ(traffic.run(100, 60), 1);
}

TEST(SamplingLimit, OfZeroIsNone) {
  SamplingLimit limit(1, 0);

  EXPECT_EQ(Traffic(limit).run(1'000'000, 5), 1);
}

}  // namespace
}  // namespace weft::telemetry
