#include "runtime/simulated_network.h"

#include <gtest/gtest.h>

#include "runtime/simulated_clock.h"
#include "runtime/task_group.h"

namespace weft {
namespace {

using Stream = std::unique_ptr<net::Stream>;

struct Talk {
  std::string heard;
  std::string answered;
  Result<> caller = fail(ErrorCode::Internal, "not ended");
  Result<> listener = fail(ErrorCode::Internal, "not ended");
};

Task<Result<>> echo(net::Listener& listener, Talk& talk) {
  CO_TRY(auto stream, co_await listener.accept());
  std::array<char, 64> buffer;
  for (;;) {
    CO_TRY(auto count, co_await stream->read_some(buffer));
    if (count == 0) co_return Result<>();
    talk.heard.append(buffer.data(), count);
    std::array<std::string_view, 1> back{std::string_view(buffer.data(), count)};
    CO_CHECK(co_await stream->write(back));
  }
}

Task<Result<>> call(SimulatedNetwork& network, Clock& clock, std::string message, Duration patience,
                    Talk& talk) {
  net::Endpoint to{"10.0.0.1", 80};
  CO_TRY(auto stream, co_await network.connect(to, clock.mono() + patience));
  stream->set_deadline(clock.mono() + patience);
  std::array<std::string_view, 1> whole{message};
  CO_CHECK(co_await stream->write(whole));
  std::array<char, 64> buffer;
  while (talk.answered.size() < message.size()) {
    CO_TRY(auto count, co_await stream->read_some(buffer));
    if (count == 0) co_return fail(ErrorCode::Unavailable, "ended early");
    talk.answered.append(buffer.data(), count);
  }
  co_return Result<>();
}

Task<void> keep(Result<>& out, Task<Result<>> task) {
  out = co_await std::move(task);
}

struct NetWorld {
  explicit NetWorld(std::uint64_t seed, SimulatedNetworkOptions options = {})
      : random(seed), network(clock, random, options) {
    group.spawn(open());
    clock.run_ready();
  }
  Task<void> open() {
    net::Endpoint local{"10.0.0.1", 80};
    listener = std::move(*(co_await network.listen(local)));
  }
  void start(std::string message, Duration patience = 10s) {
    group.spawn(keep(talk.listener, echo(*listener, talk)));
    group.spawn(keep(talk.caller, call(network, clock, std::move(message), patience, talk)));
  }
  ~NetWorld() {
    group.cancel();
    clock.run_until_idle();
  }

  IoContext io;
  SimulatedClock clock{io};
  SeededRandom random;
  SimulatedNetwork network;
  TaskGroup group{io.get_executor(), "world", 10};
  std::unique_ptr<net::Listener> listener;
  Talk talk;
};

TEST(SimulatedNetwork, DeliversBytesInOrderWithDelay) {
  NetWorld world(1, {.delay_min = 1ms, .delay_max = 20ms});
  std::string message;
  for (int i = 0; i < 50; ++i) message += std::to_string(i);
  auto start = world.clock.mono();

  world.start(message);
  world.clock.run_until_idle();

  EXPECT_TRUE(world.talk.caller);
  EXPECT_TRUE(world.talk.listener);
  EXPECT_EQ(world.talk.heard, message);
  EXPECT_EQ(world.talk.answered, message);
  EXPECT_GE(world.clock.mono() - start, 3ms);
}

TEST(SimulatedNetwork, RepeatsItselfForTheSameSeed) {
  auto run = [](std::uint64_t seed) {
    NetWorld world(seed, {.delay_min = 1us, .delay_max = 20ms});
    auto start = world.clock.mono();
    world.start("hello");
    world.clock.run_until_idle();
    return world.clock.mono() - start;
  };

  EXPECT_EQ(run(5), run(5));
  EXPECT_NE(run(5), run(6));
}

TEST(SimulatedNetwork, HoldsEverythingBackDuringAPartition) {
  NetWorld world(2, {.delay_min = 1ms, .delay_max = 1ms});
  world.network.partition("10.0.0.1");

  world.start("hello", 10s);
  world.clock.run_for(5s);
  EXPECT_EQ(world.talk.caller.error().code, ErrorCode::Internal);
  world.clock.run_for(6s);

  EXPECT_EQ(world.talk.caller.error().code, ErrorCode::DeadlineExceeded);
}

TEST(SimulatedNetwork, GoesOnWhenAPartitionHealsInsideAConversation) {
  NetWorld world(3, {.delay_min = 10ms, .delay_max = 10ms});
  world.start("hello", 10s);
  world.clock.run_for(15ms);
  world.network.partition("10.0.0.1");
  world.clock.run_for(1s);
  ASSERT_EQ(world.talk.answered, "");

  world.network.heal("10.0.0.1");
  world.clock.run_for(100ms);

  EXPECT_TRUE(world.talk.caller);
  EXPECT_EQ(world.talk.answered, "hello");
}

TEST(SimulatedNetwork, LosesConnectionsOnBothEnds) {
  NetWorld world(4, {.delay_min = 10ms, .delay_max = 10ms});
  world.start("hello");
  world.clock.run_for(15ms);

  world.network.reset_connections("10.0.0.1");
  world.clock.run_until_idle();

  EXPECT_EQ(world.talk.caller.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(world.talk.listener.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(world.network.connection_count(), 0u);
}

TEST(SimulatedNetwork, LosesAndRefusesAsOftenAsAsked) {
  int failed = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    NetWorld world(seed, {.lose_one_write_in = 8, .refuse_one_connect_in = 8});
    world.start("hello", 1s);
    world.clock.run_until_idle();
    if (!world.talk.caller) ++failed;
  }

  // Three chances of one in eight each: a third of all.
  EXPECT_GT(failed, 40);
  EXPECT_LT(failed, 95);
}

}  // namespace
}  // namespace weft
