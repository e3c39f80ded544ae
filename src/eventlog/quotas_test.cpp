#include "eventlog/quotas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/world.h"

namespace weft::eventlog {
namespace {

using testing::HasSubstr;

TEST(RateMeter, WaitsForWhatGoesBeyondTheBurst) {
  RateMeter meter;
  meter.set_rate(1000);
  const MonoTime start(10s);
  EXPECT_EQ(meter.take(1000, start, 1s, 24h), Duration::zero());
  EXPECT_EQ(meter.take(500, start, 1s, 24h), 500ms);
  EXPECT_EQ(meter.wait(start + 500ms, 1s), Duration::zero());
  EXPECT_EQ(meter.take(1000, start + 10s, 1s, 24h), Duration::zero());
}

TEST(RateMeter, ANewRateForgetsTheDebtOfTheOld) {
  RateMeter meter;
  meter.set_rate(1);
  const MonoTime start(10s);
  EXPECT_GT(meter.take(1'000'000, start, 1s, 24h), 1h);
  meter.set_rate(1'000'000);
  EXPECT_EQ(meter.take(10, start, 1s, 24h), Duration::zero());
}

TEST(RateMeter, CannotOverflow) {
  RateMeter meter;
  meter.set_rate(1);
  for (int i = 0; i < 100; ++i) {
    const auto wait = meter.take(UINT64_MAX, MonoTime(1s), 1s, 24h);
    EXPECT_EQ(wait, 24h);
  }
}

class QuotasTest : public testing::Test {
 protected:
  void rule(std::optional<std::string> client, std::optional<std::string> id, std::uint64_t bytes,
            std::uint64_t records = 0) {
    QuotaLimits limits;
    limits.rates = {bytes, records, 0};
    rules_[QuotaEntity{"default", std::move(client), std::move(id)}] = limits;
  }
  void publish() { quotas.publish(1, std::make_shared<const Quotas::Rules>(rules_)); }
  // How long a client waits after 100,000 bytes more: what rate it has.
  Duration wait_of(std::string_view client, std::string_view id) {
    Quotas::Share share;
    quotas.refresh(share, "default", client, id);
    world.run_for(1h);
    return quotas.take(share, QuotaRate::ProduceBytes, 100'000);
  }

  World world{1};
  Metrics metrics;
  QuotaOptions options{.burst = Duration::zero(), .throttle_max = 1h};
  Quotas quotas{world.clock, metrics, options};
  Quotas::Rules rules_;
};

TEST_F(QuotasTest, TheMostSpecificRuleCounts) {
  rule("shop", "web", 100'000);
  rule("shop", "*", 50'000);
  rule("shop", std::nullopt, 25'000);
  rule("*", std::nullopt, 10'000);
  rule(std::nullopt, "cron", 5'000);
  publish();
  EXPECT_EQ(wait_of("shop", "web"), 1s);
  EXPECT_EQ(wait_of("shop", "cron"), 2s);
  EXPECT_EQ(wait_of("crm", "web"), 10s);
  rules_.erase(QuotaEntity{"default", "*", std::nullopt});
  publish();
  EXPECT_EQ(wait_of("crm", "cron"), 20s);
  EXPECT_EQ(wait_of("crm", "web"), Duration::zero());
}

TEST_F(QuotasTest, ARuleThatSaysNothingOfARateHidesNone) {
  rule("shop", "web", 0, 10);
  rule("shop", std::nullopt, 50'000);
  publish();
  EXPECT_EQ(wait_of("shop", "web"), 2s);
}

TEST_F(QuotasTest, ClientsOfADefaultRuleDoNotShareIt) {
  rule("*", std::nullopt, 100'000);
  publish();
  EXPECT_EQ(wait_of("shop", ""), 1s);
  Quotas::Share share;
  quotas.refresh(share, "default", "crm", "");
  EXPECT_EQ(quotas.take(share, QuotaRate::ProduceBytes, 100'000), 1s);
}

TEST_F(QuotasTest, AllClientsOfATenantShareItsRuleAndOtherTenantsDoNot) {
  rule(std::nullopt, std::nullopt, 100'000);
  publish();
  Quotas::Share shop;
  Quotas::Share crm;
  Quotas::Share other;
  quotas.refresh(shop, "default", "shop", "");
  quotas.refresh(crm, "default", "crm", "");
  quotas.refresh(other, "acme", "shop", "");
  EXPECT_EQ(quotas.take(shop, QuotaRate::ProduceBytes, 100'000), 1s);
  EXPECT_EQ(quotas.take(crm, QuotaRate::ProduceBytes, 100'000), 2s);
  EXPECT_EQ(quotas.take(other, QuotaRate::ProduceBytes, 100'000), Duration::zero());
}

TEST_F(QuotasTest, AShareLearnsOfNewRules) {
  Quotas::Share share;
  quotas.refresh(share, "default", "shop", "");
  EXPECT_EQ(quotas.take(share, QuotaRate::ProduceBytes, 100'000), Duration::zero());
  rule("shop", std::nullopt, 1'000);
  publish();
  quotas.refresh(share, "default", "shop", "");
  EXPECT_EQ(quotas.take(share, QuotaRate::ProduceBytes, 1'000), 1s);
}

TEST_F(QuotasTest, NobodyReconnectsOutOfADebt) {
  rule("shop", std::nullopt, 1'000);
  publish();
  EXPECT_EQ(wait_of("shop", "a"), 100s);
  Quotas::Share again;
  quotas.refresh(again, "default", "shop", "b");
  EXPECT_EQ(quotas.take(again, QuotaRate::ProduceBytes, 1'000), 101s);
}

TEST_F(QuotasTest, ConnectionsAreCountedPerTenant) {
  QuotaLimits limits;
  limits.connections_max = 2;
  rules_[QuotaEntity{"default", std::nullopt, std::nullopt}] = limits;
  publish();
  auto first = quotas.connect("default");
  auto second = quotas.connect("default");
  ASSERT_TRUE(first && second);
  const auto third = quotas.connect("default");
  ASSERT_FALSE(third);
  EXPECT_THAT(third.error().message, HasSubstr("default has 2 connections"));
  EXPECT_TRUE(quotas.connect("acme"));
  *first = Quotas::Connection();
  EXPECT_TRUE(quotas.connect("default"));
}

TEST_F(QuotasTest, ADoorThatCanRefuseIsToldWhenToComeBack) {
  options.burst = 1s;
  Quotas strict(world.clock, metrics, options);
  rule(std::nullopt, std::nullopt, 1'000);
  strict.publish(1, std::make_shared<const Quotas::Rules>(rules_));
  Duration wait{};
  EXPECT_TRUE(strict.admit("default", "", 5'000, 1, wait));
  const auto refused = strict.admit("default", "", 1, 1, wait);
  ASSERT_FALSE(refused);
  EXPECT_EQ(wait, 4s);
  const auto response = quota_problem(refused.error(), wait, "");
  EXPECT_EQ(response.status, 429);
  EXPECT_TRUE(strict.admit("acme", "", 1, 1, wait));
  world.run_for(5s);
  EXPECT_TRUE(strict.admit("default", "", 1, 1, wait));
}

}  // namespace
}  // namespace weft::eventlog
