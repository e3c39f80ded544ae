#include "gateway/core/idempotency_index.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace weft::gateway {
namespace {

Digest digest(char first) {
  Digest value{};
  value.fill(first);
  return value;
}

std::function<void()> nobody() {
  return [] {};
}

TEST(IdempotencyIndex, GivesANewKeyToTheFirstClaim) {
  IdempotencyIndex index(100);

  EXPECT_EQ(index.claim(digest('k'), digest('p'), nobody).claim, Claim::New);
}

TEST(IdempotencyIndex, TellsWhereTheAnswerStandsOnceSettled) {
  IdempotencyIndex index(100);
  index.claim(digest('k'), digest('p'), nobody);

  index.settle(digest('k'), 42);

  auto again = index.claim(digest('k'), digest('p'), nobody);
  EXPECT_EQ(again.claim, Claim::Stored);
  EXPECT_EQ(again.offset, 42);
}

TEST(IdempotencyIndex, WakesEachConcurrentClaimOnceWhenTheFirstEnds) {
  IdempotencyIndex index(100);
  int woken = 0;
  index.claim(digest('k'), digest('p'), nobody);
  EXPECT_EQ(index.claim(digest('k'), digest('p'), [&] { return [&] { ++woken; }; }).claim, Claim::InFlight);
  EXPECT_EQ(index.claim(digest('k'), digest('p'), [&] { return [&] { ++woken; }; }).claim, Claim::InFlight);

  index.settle(digest('k'), 1);
  index.settle(digest('k'), 1);

  EXPECT_EQ(woken, 2);
}

TEST(IdempotencyIndex, RefusesAConcurrentClaimWithAnotherPayload) {
  IdempotencyIndex index(100);
  index.claim(digest('k'), digest('p'), nobody);

  EXPECT_EQ(index.claim(digest('k'), digest('q'), nobody).claim, Claim::OtherPayload);
}

TEST(IdempotencyIndex, GivesAnAbandonedKeyToTheNextClaim) {
  IdempotencyIndex index(100);
  bool woken = false;
  index.claim(digest('k'), digest('p'), nobody);
  index.claim(digest('k'), digest('p'), [&] { return [&] { woken = true; }; });

  index.abandon(digest('k'));

  EXPECT_TRUE(woken);
  EXPECT_EQ(index.claim(digest('k'), digest('p'), nobody).claim, Claim::New);
}

TEST(IdempotencyIndex, RefusesNewKeysAtItsLimitAndKnownOnesNever) {
  IdempotencyIndex index(16);  // one per shard
  index.claim(digest('k'), digest('p'), nobody);
  index.settle(digest('k'), 7);
  auto same_shard = digest('k');
  same_shard[0] = 'x';

  EXPECT_EQ(index.claim(same_shard, digest('p'), nobody).claim, Claim::Full);
  EXPECT_EQ(index.claim(digest('k'), digest('p'), nobody).claim, Claim::Stored);
}

TEST(IdempotencyIndex, ForgetsKeysBelowTheStreamsStart) {
  IdempotencyIndex index(100);
  index.restore(digest('a'), 5);
  index.restore(digest('b'), 6);

  EXPECT_EQ(index.forget_below(6), 1u);

  EXPECT_EQ(index.claim(digest('a'), digest('p'), nobody).claim, Claim::New);
  EXPECT_EQ(index.claim(digest('b'), digest('p'), nobody).claim, Claim::Stored);
}

TEST(IdempotencyIndex, LetsExactlyOneOfManyThreadsWin) {
  IdempotencyIndex index(10'000);
  std::atomic<int> winners{0};
  std::vector<std::jthread> threads;

  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        Digest key{};
        std::memcpy(key.data(), &i, sizeof i);
        key.back() = static_cast<char>(i);
        if (index.claim(key, digest('p'), nobody).claim == Claim::New) {
          ++winners;
          index.settle(key, i);
        }
      }
    });
  }
  threads.clear();

  EXPECT_EQ(winners, 1000);
}

}  // namespace
}  // namespace weft::gateway
