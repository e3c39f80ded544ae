#include "runtime/loops.h"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <numeric>
#include <thread>

#include "runtime/channel.h"
#include "runtime/run_until_done.h"
#include "runtime/task_group.h"

namespace weft {
namespace {

TEST(Loops, RunsEachLoopOnAThreadOfItsOwn) {
  Loops loops(3);
  std::array<std::thread::id, 3> threads;
  std::array<std::size_t, 3> indexes{};
  std::atomic<int> left = 3;

  for (std::size_t i = 0; i < 3; ++i) {
    boost::asio::post(loops.at(i), [&, i] {
      threads[i] = std::this_thread::get_id();
      indexes[i] = loops.current();
      if (--left == 0) loops.stop();
    });
  }
  loops.run();

  EXPECT_NE(threads[0], threads[1]);
  EXPECT_NE(threads[1], threads[2]);
  EXPECT_EQ(indexes, (std::array<std::size_t, 3>{0, 1, 2}));
  EXPECT_EQ(loops.current(), loops.size());
}

TEST(Loops, NamesTheLoopWithTheFewestConnections) {
  Loops loops(3);
  loops.count_connection(0, 2);
  loops.count_connection(1, 1);
  loops.count_connection(2, 2);

  EXPECT_EQ(loops.least_loaded(), 1u);
  loops.count_connection(2, -2);
  EXPECT_EQ(loops.least_loaded(), 2u);
}

TEST(Loops, GoesOnAfterAHandlerThrew) {
  Loops loops(1);
  boost::asio::post(loops.at(0), [] { (void)std::vector<int>().at(0); });
  boost::asio::post(loops.at(0), [&] { loops.stop(); });

  loops.run();

  SUCCEED() << "run() returned through stop(), not through the exception";
}

Result<int> answer() {
  return 42;
}
Result<> refuse() {
  return fail(ErrorCode::IoError, "no");
}
Result<int> throw_out_of_range() {
  return std::vector<int>().at(0);
}

TEST(BlockingPool, BringsTheResultBackToTheCallersLoop) {
  IoContext io;  // longer than the pool, whose threads post to it
  BlockingPool pool("test", 2, 8);

  EXPECT_EQ(*run_until_done(io, pool.run<int>(answer)), 42);
  EXPECT_EQ(run_until_done(io, pool.run<void>(refuse)).error().code, ErrorCode::IoError);
  EXPECT_EQ(run_until_done(io, pool.run<int>(throw_out_of_range)).error().code,
            ErrorCode::Internal);
}

Task<void> count_refusals(BlockingPool& pool, std::mutex& gate, int& refused, int& done) {
  std::function<Result<int>()> work = [&gate]() -> Result<int> {
    std::lock_guard wait(gate);
    return 1;
  };
  auto result = co_await pool.run<int>(work);
  if (result) ++done;
  if (!result && result.error().code == ErrorCode::ResourceExhausted) ++refused;
}

TEST(BlockingPool, RefusesWhatItsQueueCannotHold) {
  IoContext io;
  BlockingPool pool("test", 1, 2);
  std::mutex gate;
  int refused = 0;
  int done = 0;
  TaskGroup group(io.get_executor(), "test", 10);

  {
    std::lock_guard hold(gate);
    for (int i = 0; i < 10; ++i) group.spawn(count_refusals(pool, gate, refused, done));
    io.poll();
    io.restart();
  }
  run_until_done(io, group.join());

  // One runs, two wait; whether the first was taken off the queue in time is up to the scheduler.
  EXPECT_GE(refused, 7);
  EXPECT_LE(refused, 8);
  EXPECT_EQ(done + refused, 10);
}

Task<void> drain(Mailbox<int>& mailbox, std::vector<int>& out) {
  std::vector<int> batch;
  for (;;) {
    auto taken = co_await mailbox.take(std::move(batch));
    if (!taken || taken->empty()) co_return;
    batch = std::move(*taken);
    out.insert(out.end(), batch.begin(), batch.end());
  }
}

TEST(Mailbox, DeliversEveryItemOfEveryThreadOnce) {
  constexpr int kThreads = 4;
  constexpr int kItems = 5000;
  IoContext io;
  auto work = boost::asio::make_work_guard(io);
  Mailbox<int> mailbox(io.get_executor(), 64);
  std::vector<int> out;
  TaskGroup group(io.get_executor(), "test", 1);
  group.spawn(drain(mailbox, out));

  std::atomic<int> producing = kThreads;
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kItems; ++i) {
        int item = t * kItems + i;
        while (!mailbox.push(item)) std::this_thread::yield();
      }
      if (--producing == 0) mailbox.close();
    });
  }
  run_until_done(io, group.join());

  std::sort(out.begin(), out.end());
  std::vector<int> expected(kThreads * kItems);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(out, expected);
}

}  // namespace
}  // namespace weft
