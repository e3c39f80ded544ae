#include "app/watch/activity.h"

#include <gtest/gtest.h>

namespace weft::app {
namespace {

ActivityCounts requests(std::uint64_t count, std::uint64_t errors = 0) {
  ActivityCounts counts;
  counts.requests = count;
  counts.errors = errors;
  return counts;
}

TEST(Activity, CountsWhatHappenedWithinEachStep) {
  Activity activity;
  WallTime now(1'000s);

  activity.sample(now, requests(100));
  activity.sample(now + 5s, requests(110));
  activity.sample(now + 10s, requests(140));

  auto series = activity.series();
  ASSERT_EQ(series.size(), 2u);
  EXPECT_EQ(series[0].start, now);
  EXPECT_EQ(series[0].counts.requests, 10u);
  EXPECT_EQ(series[1].counts.requests, 30u);
}

TEST(Activity, TakesRatesOverTheLastMinuteAndErrorsOverTheWholeSeries) {
  Activity activity;
  WallTime now(1'000s);
  std::uint64_t total = 0;
  activity.sample(now, requests(0));
  for (int i = 1; i <= 24; ++i) {
    total += i <= 12 ? 1000 : 10;
    activity.sample(now + i * 5s, requests(total, 101));
  }

  EXPECT_DOUBLE_EQ(activity.rates().requests, 2.0);
  EXPECT_NEAR(activity.rates().error_share, 101.0 / 12120.0, 1e-9);
}

TEST(Activity, KeepsFifteenMinutes) {
  Activity activity;
  for (int i = 0; i < 500; ++i)
    activity.sample(WallTime(i * 5s), requests(static_cast<std::uint64_t>(i)));

  EXPECT_EQ(activity.series().size(), Activity::kPointsMax);
  EXPECT_EQ(activity.series().back().start, WallTime(498 * 5s));
}

TEST(Activity, CountsNothingWhenATotalShrank) {
  Activity activity;
  auto now = WallTime(1'000'000s);

  activity.sample(now, requests(100));
  activity.sample(now + 5s, requests(40));

  EXPECT_EQ(activity.series().at(0).counts.requests, 0u);
}

}  // namespace
}  // namespace weft::app
