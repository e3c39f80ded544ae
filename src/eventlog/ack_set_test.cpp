#include "eventlog/ack_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

namespace weft::eventlog {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

using Taken = AckSet::Taken;

WallTime at(std::int64_t seconds) {
  return WallTime(std::chrono::seconds(1'700'000'000 + seconds));
}

AckSet reopened(const AckSet& set, AckLimits limits = {}) {
  auto again = AckSet::restore(set.snapshot(), limits);
  EXPECT_TRUE(again.has_value());
  return again ? std::move(*again) : AckSet();
}

void take(AckSet& set, std::initializer_list<Offset> offsets) {
  for (auto offset : offsets) ASSERT_TRUE(set.acquire(offset).has_value()) << offset;
}

TEST(AckSet, CursorFollowsWhenRecordsAreAcknowledgedInOrder) {
  AckSet set(10);

  take(set, {10, 11});
  EXPECT_EQ(set.cursor(), 10);
  set.ack(10);
  EXPECT_EQ(set.cursor(), 11);
  set.ack(11);

  EXPECT_EQ(set.cursor(), 12);
  EXPECT_EQ(set.unsettled(), 0u);
}

TEST(AckSet, CursorWaitsForTheOldestUnsettledRecord) {
  AckSet set;
  take(set, {0, 1, 2, 3});

  set.ack(1);
  set.ack(3);
  EXPECT_EQ(set.cursor(), 0);
  set.ack(0);

  EXPECT_EQ(set.cursor(), 2);
  EXPECT_EQ(set.next(), 4);
}

TEST(AckSet, RecordsThatNeedNoDeliveryArePassedOver) {
  AckSet set;

  set.pass(100);
  take(set, {150});
  set.pass(200);

  EXPECT_EQ(set.cursor(), 150);
  set.ack(150);
  EXPECT_EQ(set.cursor(), 200);
}

TEST(AckSet, PassingNeverGoesBack) {
  AckSet set(50);

  set.pass(20);

  EXPECT_EQ(set.next(), 50);
}

TEST(AckSet, HandsAReleasedRecordOutAgainWhenItIsDueAndCounts) {
  AckSet set;
  take(set, {0});

  EXPECT_TRUE(set.release(0, at(30)));

  EXPECT_THAT(set.next_deadline(), Optional(at(30)));
  EXPECT_EQ(set.acquire_due(at(29)), std::nullopt);
  EXPECT_THAT(set.acquire_due(at(30)), Optional(Taken{0, 2}));
  EXPECT_EQ(set.acquire_due(at(99)), std::nullopt) << "it is in flight now";
}

TEST(AckSet, HandsOutWhatHasBeenDueLongest) {
  AckSet set;
  take(set, {0, 1, 2});
  set.release(0, at(30));
  set.release(1, at(10));
  set.release(2, at(20));

  std::vector<Offset> order;
  while (auto taken = set.acquire_due(at(60))) order.push_back(taken->offset);

  EXPECT_THAT(order, ElementsAre(1, 2, 0));
}

TEST(AckSet, HandsOutAgainWhatNobodyAcknowledgedBeforeItsDeadline) {
  AckSet set;
  ASSERT_TRUE(set.acquire(0, at(5)).has_value());

  EXPECT_EQ(set.acquire_due(at(4)), std::nullopt);
  EXPECT_THAT(set.acquire_due(at(5), at(10)), Optional(Taken{0, 2}));
  EXPECT_THAT(set.acquire_due(at(10), at(15)), Optional(Taken{0, 3}));

  EXPECT_EQ(set.in_flight(), 1u);
}

TEST(AckSet, ALateAcknowledgementStillSettles) {
  AckSet set;
  take(set, {0});
  set.release(0, at(30));

  EXPECT_TRUE(set.ack(0));

  EXPECT_EQ(set.cursor(), 1);
  EXPECT_EQ(set.next_deadline(), std::nullopt);
}

TEST(AckSet, SettlingTwiceIsNoticed) {
  AckSet set;
  take(set, {0, 1});
  set.ack(1);

  EXPECT_FALSE(set.ack(1));
  EXPECT_FALSE(set.release(1, at(1)));
  EXPECT_FALSE(set.ack(77));
}

TEST(AckSet, RefusesARecordThatItHandedOutBefore) {
  AckSet set;
  take(set, {0, 1});
  set.ack(0);

  EXPECT_EQ(set.acquire(0).error().code, ErrorCode::OutOfRange);
  EXPECT_EQ(set.acquire(1).error().code, ErrorCode::OutOfRange);
}

TEST(AckSet, StopsAtItsLimitAndGoesOnWhenSomethingIsSettled) {
  AckSet set(0, AckLimits{2});
  take(set, {0, 1});
  set.release(0, at(60));

  EXPECT_TRUE(set.is_full());
  EXPECT_EQ(set.acquire(2).error().code, ErrorCode::ResourceExhausted);
  set.ack(1);

  EXPECT_TRUE(set.acquire(2).has_value());
}

TEST(AckSet, AfterACrashWhatWasInFlightComesAgainAndWhatWaitedKeepsItsTime) {
  AckSet set(5);
  take(set, {5, 6, 7});
  set.release(6, at(600));
  set.ack(5);

  auto again = reopened(set);

  EXPECT_EQ(again.cursor(), 6);
  EXPECT_EQ(again.next(), 8);
  EXPECT_THAT(again.acquire_due(at(0)), Optional(Taken{7, 2})) << "was in flight";
  EXPECT_EQ(again.acquire_due(at(599)), std::nullopt);
  EXPECT_THAT(again.acquire_due(at(600)), Optional(Taken{6, 2}));
}

TEST(AckSet, AMillionSuccessesLeaveASnapshotOfAFewBytes) {
  AckSet set;
  take(set, {0});
  set.release(0, at(9999));

  for (Offset offset = 1; offset <= 1'000'000; ++offset) {
    ASSERT_TRUE(set.acquire(offset).has_value());
    set.ack(offset);
  }

  EXPECT_LT(set.snapshot().size(), 24u);
  EXPECT_LT(set.memory_bytes(), 2048u);
  EXPECT_EQ(set.cursor(), 0) << "the stubborn record still holds it";
}

TEST(AckSet, NeedsAtMostAHundredBytesForEachUnsettledRecord) {
  AckSet set(0, AckLimits{1'000'000});
  std::mt19937_64 chance(7);
  std::size_t worst = 0;

  for (Offset offset = 0; offset < 300'000; ++offset) {
    ASSERT_TRUE(set.acquire(offset, at(30 + offset / 1000)).has_value());
    auto other = static_cast<Offset>(chance() % static_cast<std::uint64_t>(offset + 1));
    if (offset % 3 == 0) set.ack(other);
    if (offset % 5 == 0) set.release(other, at(static_cast<std::int64_t>(chance() % 1000)));
    if (set.unsettled() >= 1000) worst = std::max(worst, set.memory_bytes() / set.unsettled());
  }

  EXPECT_GT(worst, 20u);
  EXPECT_LE(worst, 100u);
}

TEST(AckSet, RefusesDamagedSnapshots) {
  AckSet set(3);
  take(set, {3, 5, 9});
  set.release(5, at(60));
  auto good = set.snapshot();

  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    EXPECT_FALSE(AckSet::restore(good.substr(0, cut)).has_value()) << cut;
  }
  EXPECT_FALSE(AckSet::restore(good + "x").has_value());
  EXPECT_FALSE(AckSet::restore("\x02" + good.substr(1)).has_value()) << "a later version";
}

TEST(AckSet, ListsWhatIsUnsettledOldestFirst) {
  AckSet set;
  take(set, {0, 1, 2});
  set.ack(0);
  set.release(1, at(60));

  auto items = set.list(10);

  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].offset, 1);
  EXPECT_FALSE(items[0].in_flight);
  EXPECT_THAT(items[0].due, Optional(at(60)));
  EXPECT_EQ(items[1].offset, 2);
  EXPECT_TRUE(items[1].in_flight);
}

// The same contract, written as plainly as possible.
struct AckModel {
  struct Item {
    std::uint32_t deliveries = 1;
    bool in_flight = true;
    std::optional<std::int64_t> due;
  };
  std::map<Offset, Item> unsettled;
  Offset next = 0;

  Offset cursor() const { return unsettled.empty() ? next : unsettled.begin()->first; }
  std::optional<std::int64_t> next_due() const {
    std::optional<std::int64_t> least;
    for (auto& [offset, item] : unsettled) {
      if (item.due && (!least || *item.due < *least)) least = item.due;
    }
    return least;
  }
  void crash() {
    for (auto& [offset, item] : unsettled) {
      if (item.in_flight) item.due = -1'700'000'000;
      item.in_flight = false;
    }
  }
};

class AgainstModel {
 public:
  explicit AgainstModel(std::uint64_t seed) : chance_(seed) {}

  void run(int steps) {
    for (int step = 0; step < steps && !::testing::Test::HasFailure(); ++step) {
      one_step();
      compare();
    }
  }

 private:
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(chance_() % static_cast<std::uint64_t>(bound));
  }

  Offset some_offset() {
    if (model_.unsettled.empty() || below(10) == 0) return below(model_.next + 2);
    auto item = model_.unsettled.begin();
    std::advance(item, below(static_cast<std::int64_t>(model_.unsettled.size())));
    return item->first;
  }

  void one_step() {
    switch (below(8)) {
      case 0:
      case 1:
      case 2:
        return acquire();
      case 3:
      case 4:
        return ack(some_offset());
      case 5:
        return release(some_offset());
      case 6:
        return take_due();
      default:
        if (below(20) == 0) return crash();
        if (below(4) == 0) pass();
    }
  }

  void acquire() {
    auto offset = model_.next + below(3);
    std::optional<std::int64_t> deadline;
    if (below(3) == 0) deadline = now_ + below(50);
    auto taken = set_.acquire(offset, deadline ? std::optional(at(*deadline)) : std::nullopt);
    ASSERT_EQ(taken.has_value(), model_.unsettled.size() < kMax);
    if (!taken) return;
    model_.unsettled[offset] = {1, true, deadline};
    model_.next = offset + 1;
  }

  void ack(Offset offset) { ASSERT_EQ(set_.ack(offset), model_.unsettled.erase(offset) == 1); }

  void release(Offset offset) {
    auto due = now_ + below(100);
    auto found = model_.unsettled.find(offset);
    bool expected = found != model_.unsettled.end() && found->second.in_flight;
    ASSERT_EQ(set_.release(offset, at(due)), expected);
    if (!expected) return;
    found->second.in_flight = false;
    found->second.due = due;
  }

  void take_due() {
    now_ += below(40);
    auto due = model_.next_due();
    auto taken = set_.acquire_due(at(now_));
    ASSERT_EQ(taken.has_value(), due && *due <= now_);
    if (!taken) return;
    auto& item = model_.unsettled.at(taken->offset);
    ASSERT_EQ(item.due, due) << "not the one due longest";
    ASSERT_EQ(taken->deliveries, ++item.deliveries);
    item.in_flight = true;
    item.due.reset();
  }

  void pass() {
    auto upto = model_.next + below(5);
    set_.pass(upto);
    model_.next = upto;
  }

  void crash() {
    set_ = reopened(set_, AckLimits{kMax});
    model_.crash();
  }

  void compare() {
    ASSERT_EQ(set_.cursor(), model_.cursor());
    ASSERT_EQ(set_.next(), model_.next);
    ASSERT_EQ(set_.unsettled(), model_.unsettled.size());
    auto due = model_.next_due();
    ASSERT_EQ(set_.next_deadline(), due ? std::optional(at(*due)) : std::nullopt);
  }

  static constexpr std::uint32_t kMax = 60;
  std::mt19937_64 chance_;
  std::int64_t now_ = 0;
  AckSet set_{0, AckLimits{kMax}};
  AckModel model_;
};

TEST(AckSet, BehavesLikeItsPlainModelUnderAnySequenceOfCalls) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    AgainstModel(seed).run(500);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace weft::eventlog
