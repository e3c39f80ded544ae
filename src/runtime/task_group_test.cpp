#include "runtime/task_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "runtime/channel.h"
#include "runtime/run_until_done.h"
#include "runtime/suspension.h"
#include "runtime/with_timeout.h"

namespace weft {
namespace {

using testing::ElementsAre;

Task<void> note(std::vector<int>& out, int value) {
  out.push_back(value);
  co_return;
}

Task<void> wait_and_note(Suspension& place, std::vector<std::string>& out) {
  auto woken = co_await place.wait();
  out.push_back(woken ? "woken" : std::string(name(woken.error().code)));
  // A task that was cancelled stays cancelled: its next wait fails at once.
  if (!woken) {
    Suspension other;
    auto again = co_await other.wait();
    out.push_back(again ? "woken" : "still cancelled");
  }
}

Task<void> throw_up() {
  (void)std::vector<int>().at(0);
  co_return;
}

struct GroupWorld {
  IoContext io;
  TaskGroup group{io.get_executor(), "test", 3};
};

TEST(TaskGroup, RunsWhatIsSpawnedAfterTheSpawningStep) {
  GroupWorld world;
  std::vector<int> out;

  ASSERT_TRUE(world.group.spawn(note(out, 1)));
  out.push_back(0);
  world.io.run();

  EXPECT_THAT(out, ElementsAre(0, 1));
  EXPECT_EQ(world.group.size(), 0u);
}

TEST(TaskGroup, RefusesMoreTasksThanItsLimit) {
  GroupWorld world;
  std::vector<int> out;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(world.group.spawn(note(out, i)));

  bool fourth = world.group.spawn(note(out, 3));

  EXPECT_FALSE(fourth);
  world.io.run();
  EXPECT_THAT(out, ElementsAre(0, 1, 2));
}

TEST(TaskGroup, TakesNewTasksWhenEarlierOnesEnded) {
  GroupWorld world;
  std::vector<int> out;

  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(world.group.spawn(note(out, i)));
    world.io.restart();
    world.io.run();
  }

  EXPECT_EQ(out.size(), 10u);
}

TEST(TaskGroup, CancelEndsPendingWaitsAndRefusesNewTasks) {
  GroupWorld world;
  Suspension place;
  std::vector<std::string> out;
  std::vector<int> unused;
  world.group.spawn(wait_and_note(place, out));
  world.io.poll();
  ASSERT_TRUE(place.has_waiter());

  world.group.cancel();
  run_until_done(world.io, world.group.join());

  EXPECT_THAT(out, ElementsAre("CANCELLED", "still cancelled"));
  EXPECT_FALSE(world.group.spawn(note(unused, 1)));
}

TEST(TaskGroup, JoinReturnsWhenTheLastTaskEnded) {
  GroupWorld world;
  Suspension place;
  std::vector<std::string> out;
  world.group.spawn(wait_and_note(place, out));
  world.io.poll();

  place.wake();
  run_until_done(world.io, world.group.join());

  EXPECT_THAT(out, ElementsAre("woken"));
}

TEST(TaskGroup, SurvivesATaskThatThrows) {
  GroupWorld world;
  std::vector<int> out;
  world.group.spawn(throw_up());
  world.group.spawn(note(out, 1));

  run_until_done(world.io, world.group.join());

  EXPECT_THAT(out, ElementsAre(1));
}

TEST(TaskGroupDeathTest, AbortsWhenItIsDestroyedBeforeItsTasksEnded) {
  auto abandon = [] {
    IoContext io;
    Suspension place;
    std::vector<std::string> out;
    TaskGroup group(io.get_executor(), "test", 1);
    group.spawn(wait_and_note(place, out));
    io.poll();
  };

  EXPECT_DEATH(abandon(), "joined before it is destroyed");
}

// Time that only the test moves.
class HeldClock final : public Clock {
 public:
  WallTime now() const override { return WallTime{}; }
  MonoTime mono() const override { return MonoTime{}; }
  Task<Result<>> sleep_until(MonoTime) override { co_return co_await bell.wait(); }
  Suspension bell;
};

Task<Result<int>> give(Suspension& when, int value) {
  CO_CHECK(co_await when.wait());
  co_return value;
}

struct TimeoutWorld {
  IoContext io;
  HeldClock clock;
  Suspension work;
  TaskGroup group{io.get_executor(), "test", 1};
  std::optional<Result<int>> outcome;

  Task<void> call() { outcome.emplace(co_await with_timeout(clock, 1s, give(work, 7))); }
  void start() {
    group.spawn(call());
    io.poll();
  }
  void finish() { run_until_done(io, group.join()); }
};

TEST(WithTimeout, GivesTheResultOfATaskThatIsInTime) {
  TimeoutWorld world;
  world.start();

  world.work.wake();
  world.finish();

  EXPECT_EQ(world.outcome->value(), 7);
  EXPECT_FALSE(world.clock.bell.has_waiter());
}

TEST(WithTimeout, CancelsTheTaskAtTheLimit) {
  TimeoutWorld world;
  world.start();

  world.clock.bell.wake();
  world.finish();

  EXPECT_EQ(world.outcome->error().code, ErrorCode::DeadlineExceeded);
  EXPECT_FALSE(world.work.has_waiter());
}

TEST(WithTimeout, IsCancelledWithItsCaller) {
  TimeoutWorld world;
  world.start();

  world.group.cancel();
  world.finish();

  EXPECT_EQ(world.outcome->error().code, ErrorCode::Cancelled);
  EXPECT_FALSE(world.work.has_waiter());
  EXPECT_FALSE(world.clock.bell.has_waiter());
}

Task<void> send_all(Channel<int>& channel, int count) {
  for (int i = 0; i < count; ++i) {
    auto sent = co_await channel.send(i);
    if (!sent) co_return;
  }
  channel.close();
}

Task<void> receive_all(Channel<int>& channel, std::vector<int>& out) {
  for (;;) {
    auto item = co_await channel.receive();
    if (!item || !*item) co_return;
    out.push_back(**item);
  }
}

TEST(Channel, DeliversInOrderThroughABoundSmallerThanTheTraffic) {
  GroupWorld world;
  Channel<int> channel(2);
  std::vector<int> out;

  world.group.spawn(send_all(channel, 100));
  world.io.poll();
  EXPECT_EQ(channel.size(), 2u);
  world.group.spawn(receive_all(channel, out));
  run_until_done(world.io, world.group.join());

  ASSERT_EQ(out.size(), 100u);
  EXPECT_TRUE(std::is_sorted(out.begin(), out.end()));
}

TEST(Channel, SharesItemsAmongReceiversAndEndsThemAll) {
  GroupWorld world;
  Channel<int> channel(4);
  std::vector<int> first;
  std::vector<int> second;
  world.group.spawn(receive_all(channel, first));
  world.group.spawn(receive_all(channel, second));

  world.group.spawn(send_all(channel, 50));
  run_until_done(world.io, world.group.join());

  EXPECT_EQ(first.size() + second.size(), 50u);
}

TEST(Channel, RefusesItemsAfterItsEnd) {
  Channel<int> channel(1);
  channel.close();

  auto sent = run_until_done(channel.send(1));

  EXPECT_EQ(sent.error().code, ErrorCode::FailedPrecondition);
}

TEST(Channel, FreesASenderWhoseGroupIsCancelled) {
  GroupWorld world;
  Channel<int> channel(1);
  world.group.spawn(send_all(channel, 5));
  world.io.poll();

  world.group.cancel();
  run_until_done(world.io, world.group.join());

  EXPECT_EQ(channel.size(), 1u);
  EXPECT_FALSE(channel.is_closed());
}

}  // namespace
}  // namespace weft
