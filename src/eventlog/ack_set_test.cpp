#include "eventlog/ack_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace weft::eventlog {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

using Taken = AckSet::Taken;

WallTime at(std::int64_t seconds) {
  return WallTime(std::chrono::seconds(1'700'000'000 + seconds));
}

AckSet reopened(AckSet set, AckLimits limits = {}) {
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

TEST(AckSet, NeedsAtMostAHundredBytesForEachOfAMillionUnsettledRecords) {
  AckSet set(0, AckLimits{1'000'000});
  std::mt19937_64 chance(7);
  double worst = 0;

  for (Offset offset = 0; !set.is_full(); ++offset) {
    auto key = static_cast<OrderKey>(chance() % 1'000'000);
    ASSERT_TRUE(set.acquire(offset, key, at(30 + offset / 1000)).has_value());
    auto other = static_cast<Offset>(chance() % static_cast<std::uint64_t>(offset + 1));
    if (offset % 10 == 0) set.ack(other);
    if (offset % 5 == 0) set.release(other, at(static_cast<std::int64_t>(chance() % 1000)));
    if (offset % 100'000 == 0) set.journal();
    if (set.unsettled() >= 1000) {
      worst = std::max(worst, static_cast<double>(set.memory_bytes()) / set.unsettled());
    }
  }

  EXPECT_EQ(set.unsettled(), 1'000'000u);
  EXPECT_GT(worst, 48);
  EXPECT_LE(worst, 100);
}

TEST(AckSet, GivesItsMemoryBackWhenACrowdHasGone) {
  AckSet set(0, AckLimits{10'000});
  for (Offset offset = 0; offset < 10'000; ++offset) take(set, {offset});

  for (Offset offset = 0; offset < 10'000; ++offset) set.ack(offset);

  EXPECT_LT(set.memory_bytes(), 1000u);
}

TEST(AckSet, HoldsARecordBackUntilTheOneBeforeOfItsKeyIsSettled) {
  AckSet set;
  auto a = order_key("order-1");
  auto b = order_key("order-2");

  EXPECT_THAT(*set.acquire(0, a), Optional(Taken{0, 1}));
  EXPECT_EQ(*set.acquire(1, a), std::nullopt);
  EXPECT_THAT(*set.acquire(2, b), Optional(Taken{2, 1})) << "another key goes past";
  EXPECT_EQ(*set.acquire(3, a), std::nullopt);
  EXPECT_EQ(set.acquire_due(at(0)), std::nullopt);

  set.ack(0);
  EXPECT_THAT(set.acquire_due(at(0)), Optional(Taken{1, 1}));
  EXPECT_EQ(set.acquire_due(at(0)), std::nullopt);
  set.ack(1);
  EXPECT_THAT(set.acquire_due(at(0)), Optional(Taken{3, 1}));
}

TEST(AckSet, ARecordThatWaitsForItsRetryHoldsItsKeyAndNothingElse) {
  AckSet set;
  auto key = order_key("order-1");
  ASSERT_TRUE(set.acquire(0, key).has_value());
  ASSERT_EQ(*set.acquire(1, key), std::nullopt);

  set.release(0, at(30));

  EXPECT_EQ(set.acquire_due(at(29)), std::nullopt);
  EXPECT_TRUE(set.acquire(2).has_value());
  EXPECT_THAT(set.acquire_due(at(30)), Optional(Taken{0, 2}));
  EXPECT_FALSE(set.ack(1)) << "it was never handed out";
}

TEST(AckSet, KeepsTheOrderOfAKeyOverACrash) {
  AckSet set;
  auto key = order_key("order-1");
  ASSERT_TRUE(set.acquire(0, key).has_value());
  ASSERT_TRUE(set.acquire(1, key).has_value());
  ASSERT_TRUE(set.acquire(2, key).has_value());
  set.ack(0);

  auto again = reopened(set);

  EXPECT_THAT(again.acquire_due(at(0)), Optional(Taken{1, 1}));
  EXPECT_EQ(again.acquire_due(at(0)), std::nullopt);
  EXPECT_EQ(*again.acquire(3, key), std::nullopt);
  again.ack(1);
  EXPECT_THAT(again.acquire_due(at(0)), Optional(Taken{2, 1}));
}

TEST(AckSet, JournalsOnlyWhatChangedWhenMuchWaits) {
  AckSet set(0, AckLimits{10'000});
  for (Offset offset = 0; offset < 5'000; ++offset) {
    take(set, {offset});
    set.release(offset, at(60));
  }
  auto first = set.journal();
  take(set, {5'000, 5'001});
  set.ack(5'000);
  set.ack(17);

  auto second = set.journal();

  EXPECT_TRUE(AckSet::is_snapshot(first));
  EXPECT_FALSE(AckSet::is_snapshot(second));
  EXPECT_LT(second.size(), 20u);
  auto again = AckSet::restore(first);
  ASSERT_TRUE(again.has_value());
  ASSERT_TRUE(again->replay(second).has_value());
  EXPECT_EQ(again->unsettled(), 5'000u);
  EXPECT_EQ(again->next(), 5'002);
  EXPECT_THAT(again->acquire_due(at(0)), Optional(Taken{5'001, 2}));
}

TEST(AckSet, JournalsASnapshotWhenThatIsShorter) {
  AckSet set;
  take(set, {0, 1});
  set.journal();
  set.ack(0);
  set.ack(1);

  EXPECT_TRUE(AckSet::is_snapshot(set.journal()));
}

TEST(AckSet, RefusesAPieceThatDoesNotFollowAndStaysAsItWas) {
  AckSet set(0, AckLimits{100});
  for (Offset offset = 0; offset < 10; ++offset) take(set, {offset});
  auto snapshot = set.snapshot();
  set.ack(3);
  auto second = set.journal();
  set.ack(4);
  auto third = set.journal();
  auto again = AckSet::restore(snapshot);
  ASSERT_TRUE(again.has_value());

  EXPECT_EQ(again->replay(third).error().code, ErrorCode::DataLoss);
  EXPECT_EQ(AckSet::restore(second).error().code, ErrorCode::DataLoss);
  EXPECT_EQ(again->unsettled(), 10u);
  EXPECT_TRUE(again->replay(second).has_value());
  EXPECT_TRUE(again->replay(third).has_value());
  EXPECT_EQ(again->unsettled(), 8u);
}

TEST(AckSet, ReadsTheSnapshotsOfTheFirstVersion) {
  // cursor 6, next 8, two records: 6 with 1 delivery, due at 300 ms; 7 with 2, at once.
  auto set = AckSet::restore(std::string_view("\x01\x06\x02\x02\x00\x01\xac\x02\x01\x02\x00", 11));

  ASSERT_TRUE(set.has_value()) << set.error().message;
  EXPECT_EQ(set->next(), 8);
  EXPECT_THAT(set->acquire_due(at(0)), Optional(Taken{7, 3}));
  EXPECT_THAT(set->acquire_due(at(0)), Optional(Taken{6, 2}));
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
  EXPECT_FALSE(AckSet::restore("\x04" + good.substr(1)).has_value()) << "a later version";
}

TEST(AckSet, ListsWhatIsUnsettledOldestFirst) {
  AckSet set;
  take(set, {0, 1, 2});
  set.ack(0);
  set.release(1, at(60));

  auto items = set.list(10);

  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].offset, 1);
  EXPECT_EQ(items[0].state, AckSet::State::Waiting);
  EXPECT_THAT(items[0].due, Optional(at(60)));
  EXPECT_EQ(items[1].offset, 2);
  EXPECT_EQ(items[1].state, AckSet::State::InFlight);
}

}  // namespace
}  // namespace weft::eventlog
