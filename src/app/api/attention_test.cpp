#include "app/api/attention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::app {
namespace {

using delivery::SubscriptionState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

delivery::SubscriptionStatus subscription(std::string name) {
  delivery::SubscriptionStatus status;
  status.name = std::move(name);
  return status;
}

std::vector<std::string> whats(const AttentionFacts& facts) {
  std::vector<std::string> out;
  for (const auto& item : needs_attention(facts)) out.push_back(item.what);
  return out;
}

TEST(Attention, IsAskedForNothingWhileAllIsWell) {
  AttentionFacts facts;
  facts.checks = {{"log", "pass", ""}, {"disk", "pass", ""}};
  facts.subscriptions = {subscription("crm")};

  EXPECT_THAT(whats(facts), IsEmpty());
}

TEST(Attention, PutsTheWorstFirst) {
  AttentionFacts facts;
  facts.checks = {{"disk", "warn", "900 MiB free"}};
  auto gone = subscription("legacy");
  gone.state = SubscriptionState::Disabled;
  gone.state_reason = "answered 410 Gone";
  facts.subscriptions = {gone};

  EXPECT_THAT(whats(facts),
              ElementsAre("Subscription legacy is disabled", "The check of the disk warns"));
}

TEST(Attention, NamesTheSubscriptionOfDeadLettersAndLeadsToThem) {
  AttentionFacts facts;
  facts.checks = {{"delivery", "warn", "1 dead letters wait"}};
  auto crm = subscription("crm & co");
  crm.dead = 1;
  crm.last_error = "answered 500";
  facts.subscriptions = {crm};

  auto items = needs_attention(facts);

  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].what, "1 dead letter on subscription crm & co");
  EXPECT_THAT(items[0].why, HasSubstr("answered 500"));
  EXPECT_EQ(items[0].href, "/deliveries?subscription=crm%20%26%20co&status=dead");
}

TEST(Attention, TellsOfASubscriptionWithoutOneSuccessAndNotOfOneThatFailsNowAndThen) {
  auto crm = subscription("crm");
  crm.failing = 3;
  crm.attempts_recent = crm.failures_recent = 9;
  crm.last_failure = WallTime(100s);
  AttentionFacts facts;
  facts.subscriptions = {crm};
  EXPECT_THAT(whats(facts), ElementsAre("No delivery of subscription crm succeeds"));

  facts.subscriptions[0].attempts_recent = 10;
  EXPECT_THAT(whats(facts), IsEmpty());
}

TEST(Attention, TellsOfAGatewayThatFailsOftenerThanOnceInAHundred) {
  AttentionFacts facts;
  facts.gateway_error_share = 0.01;
  EXPECT_THAT(whats(facts), IsEmpty());

  facts.gateway_error_share = 0.02;
  EXPECT_THAT(whats(facts), ElementsAre("The gateway answers with errors"));
}

}  // namespace
}  // namespace weft::app
