#include "app/load/send_schedule.h"

#include <gtest/gtest.h>

namespace weft::app {
namespace {

constexpr MonoTime kBegin{std::chrono::hours(1)};

TEST(SendSchedule, SpreadsTheRateEvenlyOverTimeAndSenders) {
  const SendSchedule first{kBegin, 1000, 2, 0};
  const SendSchedule second{kBegin, 1000, 2, 1};

  EXPECT_EQ(first.due(0), kBegin);
  EXPECT_EQ(second.due(0), kBegin + 1ms);
  EXPECT_EQ(first.due(1), kBegin + 2ms);
  EXPECT_EQ(second.due(500), kBegin + 1001ms);
}

TEST(SendSchedule, CountsWhatIsDueBeforeAMoment) {
  for (const double rate : {0.5, 3.0, 1000.0, 123'457.0}) {
    std::uint64_t all = 0;
    for (int sender = 0; sender < 3; ++sender) {
      const SendSchedule schedule{kBegin, rate, 3, sender};
      const auto count = schedule.count_before(kBegin + 7s);
      if (count > 0) {
        EXPECT_LT(schedule.due(count - 1), kBegin + 7s);
      }
      EXPECT_GE(schedule.due(count), kBegin + 7s);
      all += count;
    }
    EXPECT_EQ(all, static_cast<std::uint64_t>(std::ceil(rate * 7))) << rate;
  }
  EXPECT_EQ((SendSchedule{kBegin, 10, 1, 0}.count_before(kBegin)), 0u);
}

TEST(SendSchedule, DoesNotDriftOverADay) {
  const SendSchedule schedule{kBegin, 3, 1, 0};

  EXPECT_EQ(schedule.due(3 * 86'400), kBegin + 24h);
}

}  // namespace
}  // namespace weft::app
