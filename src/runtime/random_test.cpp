#include "runtime/random.h"

#include <gmock/gmock.h>

#include <set>
#include <thread>

namespace weft {
namespace {

TEST(SeededRandom, RepeatsItsSequenceForTheSameSeed) {
  SeededRandom one(42);
  SeededRandom same(42);
  SeededRandom other(43);

  auto first = one.bytes(100);

  EXPECT_EQ(first, same.bytes(100));
  EXPECT_NE(first, other.bytes(100));
}

TEST(SeededRandom, FollowsThePublishedSequenceOfSplitmix64) {
  SeededRandom random(1234567);

  EXPECT_EQ(random.next(), 6457827717110365317ULL);
  EXPECT_EQ(random.next(), 3203168211198807973ULL);
}

TEST(Random, DrawsBelowTheBoundAndReachesEveryValue) {
  SeededRandom random(7);
  std::array<int, 6> seen{};

  for (int i = 0; i < 6'000; ++i) {
    auto die = random.below(6);
    ASSERT_LT(die, 6U);
    ++seen[die];
  }

  for (int count : seen) EXPECT_NEAR(count, 1'000, 150);
}

TEST(Random, DrawsOnlyZeroBelowOne) {
  SeededRandom random(7);

  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.below(1), 0U);
}

TEST(SystemRandom, NeverRepeatsABlockWithinOrAcrossThreads) {
  SystemRandom random;
  std::mutex mutex;
  std::set<std::string> blocks;
  auto draw = [&] {
    for (int i = 0; i < 1'000; ++i) {
      auto block = random.bytes(16);
      std::lock_guard lock(mutex);
      blocks.insert(std::move(block));
    }
  };

  std::thread one(draw);
  std::thread two(draw);
  one.join();
  two.join();

  EXPECT_EQ(blocks.size(), 2'000U);
}

TEST(SystemRandom, FillsBlocksLargerThanItsBuffer) {
  SystemRandom random;

  auto block = random.bytes(100'000);

  std::set<char> distinct(block.begin(), block.end());
  EXPECT_EQ(distinct.size(), 256U);
}

}  // namespace
}  // namespace weft
