#include "runtime/clock.h"

#include <gtest/gtest.h>

#include "runtime/run_until_done.h"
#include "runtime/task_group.h"

namespace weft {
namespace {

Task<void> sleep_into(Clock& clock, Duration duration, std::optional<Result<>>& outcome) {
  outcome = co_await clock.sleep_for(duration);
}

Task<void> cancel_sleeper(Clock& clock, std::optional<Result<>>& outcome) {
  TaskGroup group(co_await boost::asio::this_coro::executor, "sleepers", 1);
  group.spawn(sleep_into(clock, 24h, outcome));
  // The sleeper is in its timer before it is cancelled.
  [[maybe_unused]] auto slept = co_await clock.sleep_for(1ms);
  group.cancel();
  co_await group.join();
}

TEST(SystemClock, WakesNoEarlierThanAsked) {
  SystemClock clock;
  const auto when = clock.mono() + 3ms;

  auto slept = run_until_done(clock.sleep_until(when));

  EXPECT_TRUE(slept);
  EXPECT_GE(clock.mono(), when);
}

TEST(SystemClock, EndsACancelledSleepWithCancelled) {
  SystemClock clock;
  const auto start = clock.mono();
  std::optional<Result<>> outcome;

  run_until_done(cancel_sleeper(clock, outcome));

  ASSERT_TRUE(outcome.has_value());
  ASSERT_FALSE(outcome->has_value());
  EXPECT_EQ(outcome->error().code, ErrorCode::Cancelled);
  EXPECT_LT(clock.mono() - start, 1h);
}

}  // namespace
}  // namespace weft
