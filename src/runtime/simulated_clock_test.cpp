#include "runtime/simulated_clock.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include "runtime/run_until_done.h"
#include "runtime/task_group.h"

namespace weft {
namespace {

using testing::ElementsAre;

struct Scene {
  IoContext loop;
  SimulatedClock clock{loop};
  TaskGroup tasks{loop.get_executor(), "scene", 1000};
  std::vector<std::string> story;

  ~Scene() {
    tasks.cancel();
    clock.run_until_idle();
  }
};

Task<void> tell_after(Scene& scene, Duration wait, std::string what) {
  auto slept = co_await scene.clock.sleep_for(wait);
  scene.story.push_back(slept ? what : what + " cancelled");
}

Task<void> sleep_many_times(Clock& clock, int times, int& done) {
  for (int i = 0; i < times; ++i) {
    if (!co_await clock.sleep_for(1s)) co_return;
    ++done;
  }
}

Duration cpu_time() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return std::chrono::seconds(spent.tv_sec) + Duration(spent.tv_nsec);
}

TEST(SimulatedClock, WakesSleepersInOrderOfTimeThenOfArrival) {
  Scene scene;
  scene.tasks.spawn(tell_after(scene, 2s, "late"));
  scene.tasks.spawn(tell_after(scene, 1s, "first of two"));
  scene.tasks.spawn(tell_after(scene, 1s, "second of two"));

  EXPECT_TRUE(scene.clock.run_until_idle());

  EXPECT_THAT(scene.story, ElementsAre("first of two", "second of two", "late"));
}

TEST(SimulatedClock, LetsExactlyTheGivenTimePass) {
  Scene scene;
  const auto wall = scene.clock.now();
  const auto mono = scene.clock.mono();
  scene.tasks.spawn(tell_after(scene, 5s, "at five"));
  scene.tasks.spawn(tell_after(scene, 5s + 1ns, "after five"));

  scene.clock.run_for(5s);

  EXPECT_THAT(scene.story, ElementsAre("at five"));
  EXPECT_EQ(scene.clock.now() - wall, 5s);
  EXPECT_EQ(scene.clock.mono() - mono, 5s);
}

TEST(SimulatedClock, PassesADayOfSleepsInAFractionOfASecond) {
  Scene scene;
  int done = 0;
  scene.tasks.spawn(sleep_many_times(scene.clock, 86'400, done));
  const auto mono = scene.clock.mono();
  const auto cpu = cpu_time();

  EXPECT_TRUE(scene.clock.run_until_idle(25h));

  const auto spent = cpu_time() - cpu;
  RecordProperty("cpu_ms", static_cast<int>(spent / 1ms));
  EXPECT_EQ(done, 86'400);
  EXPECT_EQ(scene.clock.mono() - mono, 24h);
  // 0.013 s optimised, 0.2 s without; the bound leaves room for sanitizers.
  EXPECT_LT(spent, 4s);
}

TEST(SimulatedClock, EndsACancelledSleepAtOnceAndOnlyOnce) {
  Scene scene;
  scene.tasks.spawn(tell_after(scene, 1h, "sleeper"));
  scene.clock.run_for(1s);
  const auto mono = scene.clock.mono();

  scene.tasks.cancel();
  EXPECT_TRUE(scene.clock.run_until_idle(2h));

  EXPECT_THAT(scene.story, ElementsAre("sleeper cancelled"));
  EXPECT_EQ(scene.clock.mono(), mono);
}

TEST(SimulatedClock, RefusesToSleepInATaskThatIsCancelledAlready) {
  Scene scene;
  scene.tasks.spawn(tell_after(scene, 1h, "never started to sleep"));
  scene.tasks.cancel();

  scene.clock.run_ready();

  EXPECT_THAT(scene.story, ElementsAre("never started to sleep cancelled"));
}

TEST(SimulatedClock, DoesNotCallAnEndlessTickerIdle) {
  Scene scene;
  int ticks = 0;
  scene.tasks.spawn(sleep_many_times(scene.clock, 1'000'000, ticks));

  EXPECT_FALSE(scene.clock.run_until_idle(10s));

  EXPECT_EQ(ticks, 10);
}

TEST(SimulatedClock, StopsAtTheMomentWhenTheConditionHolds) {
  Scene scene;
  int ticks = 0;
  scene.tasks.spawn(sleep_many_times(scene.clock, 100, ticks));
  const auto mono = scene.clock.mono();

  EXPECT_TRUE(scene.clock.run_until([&] { return ticks == 3; }));

  EXPECT_EQ(scene.clock.mono() - mono, 3s);
}

TEST(SimulatedClock, SteppingTheCalendarWakesNobody) {
  Scene scene;
  scene.tasks.spawn(tell_after(scene, 1s, "woken"));
  const auto wall = scene.clock.now();

  scene.clock.step_wall_time(-1h);
  scene.clock.run_ready();

  EXPECT_TRUE(scene.story.empty());
  EXPECT_EQ(scene.clock.now() - wall, -1h);
}

}  // namespace
}  // namespace weft
