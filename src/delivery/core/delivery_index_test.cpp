#include "delivery/core/delivery_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::delivery {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const WallTime kRecordedAt = from_unix_ms(1'772'366'400'000);

DeliverySummary delivery(int number, DeliveryStatus status, std::string subscription = "crm") {
  DeliverySummary out;
  out.id = fmt::format("{}-{}", subscription, number);
  out.tenant = "default";
  out.subscription = std::move(subscription);
  out.event_id = std::to_string(number);
  out.status = status;
  out.last_attempt = kRecordedAt;
  if (status != DeliveryStatus::Delivered) out.last_error = "answered 500";
  return out;
}

std::vector<std::string> listed(const DeliveryIndex& index,
                                std::optional<DeliveryStatus> status = std::nullopt) {
  DeliveryQuery query;
  query.status = status;
  std::vector<std::string> out;
  for (auto& item : index.list(query).items) out.push_back(std::move(item.id));
  return out;
}

TEST(DeliveryIndex, ForgetsTheOldestDeliveredFirstAndNothingElse) {
  DeliveryIndex index(IndexLimits{2, 10});
  index.recorded(delivery(1, DeliveryStatus::Dead), 0, 0, kRecordedAt);
  index.recorded(delivery(2, DeliveryStatus::Failing), 1, std::nullopt, kRecordedAt);
  for (int i = 3; i <= 6; ++i)
    index.recorded(delivery(i, DeliveryStatus::Delivered), i, std::nullopt, kRecordedAt);

  EXPECT_THAT(listed(index), ElementsAre("crm-6", "crm-5", "crm-2", "crm-1"));
  EXPECT_FALSE(index.find("crm-3").has_value());
}

TEST(DeliveryIndex, CountsFollowEachChangeOfStatus) {
  DeliveryIndex index;
  index.started(delivery(1, DeliveryStatus::Pending));
  EXPECT_EQ(index.counts("default", "crm", kRecordedAt).pending, 1u);
  index.recorded(delivery(1, DeliveryStatus::Failing), 0, std::nullopt, kRecordedAt);
  EXPECT_EQ(index.counts("default", "crm", kRecordedAt).failing, 1u);
  index.recorded(delivery(1, DeliveryStatus::Dead), 1, 7, kRecordedAt);

  auto counts = index.counts("default", "crm", kRecordedAt);
  EXPECT_EQ(counts.pending + counts.failing, 0u);
  EXPECT_EQ(counts.dead, 1u);
  EXPECT_EQ(counts.failed_attempts, 2u);
  EXPECT_EQ(counts.last_error, "answered 500");
  EXPECT_EQ(index.counts("default", "erp", kRecordedAt).dead, 0u);
}

TEST(DeliveryIndex, DoesNotCountTheAttemptUnderWay) {
  DeliveryIndex index;
  auto first = delivery(1, DeliveryStatus::Pending);
  first.attempts = 1;
  first.last_attempt = kRecordedAt;
  index.started(first);

  EXPECT_EQ(index.find(first.id)->delivery.attempts, 0u);
  EXPECT_EQ(index.find(first.id)->delivery.last_attempt, std::nullopt);
  first.status = DeliveryStatus::Delivered;
  index.recorded(first, 0, std::nullopt, kRecordedAt);
  EXPECT_EQ(index.find(first.id)->delivery.attempts, 1u);
}

TEST(DeliveryIndex, RecentAttemptsAreThoseOfAQuarterOfAnHour) {
  DeliveryIndex index;
  index.recorded(delivery(1, DeliveryStatus::Failing), 0, std::nullopt, kRecordedAt);
  index.recorded(delivery(2, DeliveryStatus::Delivered), 1, std::nullopt, kRecordedAt + 10min);

  EXPECT_EQ(index.counts("default", "crm", kRecordedAt + 14min).attempts_recent, 2u);
  EXPECT_EQ(index.counts("default", "crm", kRecordedAt + 16min).attempts_recent, 1u);
  EXPECT_EQ(index.counts("default", "crm", kRecordedAt + 16min).failures_recent, 0u);
  EXPECT_EQ(index.counts("default", "crm", kRecordedAt + 3h).attempts_recent, 0u);
}

TEST(DeliveryIndex, ADeadLetterCanBeClaimedOnce) {
  DeliveryIndex index;
  index.recorded(delivery(1, DeliveryStatus::Dead), 0, 7, kRecordedAt);

  EXPECT_EQ(index.claim_dead("crm-1"), 7);
  EXPECT_EQ(index.claim_dead("crm-1"), std::nullopt) << "somebody else redrives it";
  index.unclaim_dead("crm-1");
  EXPECT_EQ(index.claim_dead("crm-1"), 7);
  EXPECT_EQ(index.claim_dead("crm-2"), std::nullopt);
}

TEST(DeliveryIndex, AnswersByStatusSubscriptionAndEvent) {
  DeliveryIndex index;
  index.recorded(delivery(1, DeliveryStatus::Dead), 0, 0, kRecordedAt);
  index.recorded(delivery(1, DeliveryStatus::Delivered, "erp"), 1, std::nullopt, kRecordedAt);
  index.recorded(delivery(2, DeliveryStatus::Delivered, "erp"), 2, std::nullopt, kRecordedAt);

  EXPECT_THAT(listed(index, DeliveryStatus::Dead), ElementsAre("crm-1"));
  EXPECT_THAT(listed(index, DeliveryStatus::Failing), IsEmpty());
  EXPECT_THAT(index.dead_ids("default", "crm"), ElementsAre("crm-1"));
  DeliveryQuery query;
  query.subscription = "erp";
  query.event_id = "1";
  ASSERT_EQ(index.list(query).items.size(), 1u);
  EXPECT_EQ(index.list(query).items[0].id, "erp-1");
}

TEST(DeliveryIndex, KeepsWhereTheAttemptsAre) {
  DeliveryIndex index(IndexLimits{10, 3});
  for (int i = 0; i < 5; ++i)
    index.recorded(delivery(1, DeliveryStatus::Failing), i, std::nullopt, kRecordedAt);

  EXPECT_THAT(index.find("crm-1")->attempts, ElementsAre(0, 1, 2)) << "up to its limit";
}

}  // namespace
}  // namespace weft::delivery
