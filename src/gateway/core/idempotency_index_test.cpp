#include "gateway/core/idempotency_index.h"

#include <gtest/gtest.h>

#include <cstring>
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
  EXPECT_EQ(index.claim(digest('k'), digest('p'), [&] { return [&] { ++woken; }; }).claim,
            Claim::InFlight);
  EXPECT_EQ(index.claim(digest('k'), digest('p'), [&] { return [&] { ++woken; }; }).claim,
            Claim::InFlight);

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

Digest numbered(std::uint64_t number) {
  Digest key{};
  // Low bits as a bad hash would have them: neighbours collide.
  auto clustered = number % 7;
  std::memcpy(key.data(), &clustered, sizeof clustered);
  std::memcpy(key.data() + 8, &number, 7);
  key.back() = static_cast<char>(number);
  return key;
}

TEST(IdempotencyIndex, FindsEveryKeyAlsoWhenTheirPlacesCollide) {
  constexpr std::uint64_t kKeys = 3'000;
  IdempotencyIndex index(100'000);

  for (std::uint64_t i = 0; i < kKeys; ++i) {
    index.claim(numbered(i), digest('p'), nobody);
    index.settle(numbered(i), static_cast<eventlog::Offset>(i));
  }

  EXPECT_EQ(index.size(), kKeys);
  for (std::uint64_t i = 0; i < kKeys; ++i) {
    EXPECT_EQ(index.claim(numbered(i), digest('p'), nobody).offset,
              static_cast<eventlog::Offset>(i));
  }
  EXPECT_EQ(index.claim(numbered(kKeys), digest('p'), nobody).claim, Claim::New);
}

TEST(IdempotencyIndex, FindsWhatIsLeftAfterForgetting) {
  constexpr std::uint64_t kKeys = 2'000;
  IdempotencyIndex index(100'000);
  for (std::uint64_t i = 0; i < kKeys; ++i) {
    index.restore(numbered(i), static_cast<eventlog::Offset>(i));
  }

  EXPECT_EQ(index.forget_below(1'900), 1'900u);
  EXPECT_EQ(index.forget_below(1'900), 0u);

  EXPECT_EQ(index.size(), 100u);
  for (std::uint64_t i = 0; i < kKeys; ++i) {
    auto claim = index.claim(numbered(i), digest('p'), nobody).claim;
    EXPECT_EQ(claim, i < 1'900 ? Claim::New : Claim::Stored) << i;
  }
}

TEST(IdempotencyIndex, FindsEveryOtherKeyAfterForgettingOne) {
  IdempotencyIndex index(1000);
  // One shard, and places that follow one another.
  auto key = [](int i) {
    Digest value{};
    std::memcpy(value.data(), &i, sizeof i);
    return value;
  };
  for (int i = 0; i < 40; ++i) index.restore(key(i / 2 * 64 + i % 2), i);

  index.forget(key(0), 99);  // another answer than the key's
  for (int i = 0; i < 40; i += 3) index.forget(key(i / 2 * 64 + i % 2), i);

  for (int i = 0; i < 40; ++i) {
    auto claimed = index.claim(key(i / 2 * 64 + i % 2), digest('p'), nobody);
    EXPECT_EQ(claimed.claim, i % 3 == 0 ? Claim::New : Claim::Stored) << i;
  }
  EXPECT_EQ(index.size(), 26u);
}

TEST(IdempotencyIndex, KeepsTheLaterAnswerOfAKey) {
  IdempotencyIndex index(100);
  index.restore(digest('k'), 5);

  index.restore(digest('k'), 9);

  EXPECT_EQ(index.size(), 1u);
  EXPECT_EQ(index.claim(digest('k'), digest('p'), nobody).offset, 9);
}

TEST(IdempotencyIndex, EndsOneOfSeveralClaimsAndKeepsTheOthers) {
  IdempotencyIndex index(100);
  auto other = digest('k');
  other[0] = 'x';  // of the same shard
  int woken = 0;
  index.claim(digest('k'), digest('p'), nobody);
  index.claim(other, digest('q'), nobody);
  index.claim(other, digest('q'), [&] { return [&] { ++woken; }; });

  index.abandon(digest('k'));

  EXPECT_EQ(woken, 0);
  EXPECT_EQ(index.claim(other, digest('q'), nobody).claim, Claim::InFlight);
  EXPECT_EQ(index.claim(other, digest('p'), nobody).claim, Claim::OtherPayload);
  index.settle(other, 3);
  EXPECT_EQ(woken, 1);
}

TEST(IdempotencyIndex, PromisesNoCallToAClaimWithoutAWaker) {
  IdempotencyIndex index(100);
  index.claim(digest('k'), digest('p'), nullptr);

  EXPECT_EQ(index.claim(digest('k'), digest('p'), nullptr).claim, Claim::InFlight);

  index.settle(digest('k'), 1);
  EXPECT_EQ(index.claim(digest('k'), digest('p'), nullptr).offset, 1);
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
