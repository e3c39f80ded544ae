#include "base/bytes.h"
#include "delivery/edge/delivery_fixture.h"

namespace weft::delivery {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST_F(Delivery, AnExhaustedDeliveryBecomesADeadLetterWithItsReasonAndOthersFlowOn) {
  auto& crm = endpoints.at("crm");
  crm.then(Endpoint::status(422, {}, "unknown currency"));
  apply({subscription_to("crm")});

  publish("1");
  publish("2");
  world.run_for(1min);

  EXPECT_THAT(data_of(crm.accepted), ElementsAre("2"));
  auto dead = deliveries(DeliveryStatus::Dead);
  ASSERT_THAT(dead, SizeIs(1));
  EXPECT_THAT(dead[0].dead_reason, HasSubstr("422"));
  EXPECT_EQ(status().dead, 1u);
  auto detail = show(dead[0].id);
  EXPECT_EQ(detail.attempts[0].response_body, "unknown currency");
  EXPECT_EQ(detail.event->value, "1");
}

TEST_F(Delivery, RedriveSendsADeadLetterAgainToItsSubscriptionAloneWithTheSameId) {
  endpoints.at("crm").otherwise = [] { return Endpoint::status(400); };
  apply({subscription_to("crm"), subscription_to("erp", "erp")});
  publish("1");
  world.run_for(10s);
  auto dead = deliveries(DeliveryStatus::Dead);
  ASSERT_THAT(dead, SizeIs(1));
  endpoints.at("crm").otherwise = [] { return Endpoint::status(200); };

  auto redriven = world.run(life->service->redrive("default", dead[0].id, "user:admin"));
  ASSERT_TRUE(redriven.has_value()) << redriven.error().message;
  EXPECT_EQ(redriven->status, DeliveryStatus::Pending);
  world.run_for(10s);

  EXPECT_THAT(endpoints.at("crm").requests, SizeIs(2));
  EXPECT_THAT(endpoints.at("erp").requests, SizeIs(1));
  EXPECT_EQ(endpoints.at("crm").requests[1].id(), endpoints.at("crm").requests[0].id());
  EXPECT_EQ(status().dead, 0u);
  auto detail = show(dead[0].id);
  EXPECT_EQ(detail.delivery.status, DeliveryStatus::Delivered);
  ASSERT_THAT(detail.attempts, SizeIs(2));
  EXPECT_EQ(detail.attempts[1].number, 2u) << "a redrive goes on counting";
}

TEST_F(Delivery, RedriveOfAllEmptiesTheDeadLettersAndWhatFailsAgainIsDeadAgain) {
  endpoints.at("crm").otherwise = [] { return Endpoint::status(400); };
  apply({subscription_to("crm")});
  for (int i = 0; i < 250; ++i) publish(std::to_string(i));
  world.run_for(10s);
  EXPECT_EQ(status().dead, 250u);
  endpoints.at("crm").then(Endpoint::status(400)).otherwise = [] { return Endpoint::status(200); };

  auto redriven = world.run(life->service->redrive_all("default", "crm", "user:admin"));
  world.run_for(10s);

  EXPECT_EQ(redriven.value_or(0), 250u);
  EXPECT_EQ(status().dead, 1u);
  EXPECT_THAT(endpoints.at("crm").accepted, SizeIs(249));
}

TEST_F(Delivery, OnlyADeadLetterOfALivingSubscriptionCanBeRedriven) {
  endpoints.at("crm").then(Endpoint::status(400));
  apply({subscription_to("crm")});
  publish("1");
  publish("2");
  world.run_for(1s);
  auto redrive = [&](std::string id) {
    auto done = world.run(life->service->redrive("default", std::move(id), "user:admin"));
    return done ? ErrorCode::Internal : done.error().code;
  };

  EXPECT_EQ(redrive(deliveries(DeliveryStatus::Delivered)[0].id), ErrorCode::FailedPrecondition);
  EXPECT_EQ(redrive("crm-000000000000-0-1"), ErrorCode::NotFound);
  auto dead = deliveries(DeliveryStatus::Dead)[0].id;
  apply({});
  EXPECT_EQ(redrive(dead), ErrorCode::NotFound);
}

TEST_F(Delivery, ARedriveGoesOnCountingAfterACrashAndWaitsForItsTime) {
  auto slow = subscription_to("crm");
  slow.retry.initial_delay = slow.retry.delay_max = 10min;
  auto& crm = endpoints.at("crm").then(Endpoint::status(400)).then(Endpoint::status(500));
  apply({slow});
  publish("1");
  world.run_for(1s);
  auto id = deliveries()[0].id;
  ASSERT_TRUE(world.run(life->service->redrive("default", id, "user:admin")).has_value());
  world.run_for(1s);
  auto planned = show(id).attempts.at(1).next_attempt;
  ASSERT_TRUE(planned.has_value());

  crash_and_restart({slow});
  world.run_for(11min);

  auto attempts = show(id).attempts;
  ASSERT_THAT(attempts, SizeIs(3));
  EXPECT_EQ(attempts[2].number, 3u);
  EXPECT_GE(crm.requests.at(2).at, *planned);
}

TEST_F(Delivery, ARedriveSurvivesACrash) {
  endpoints.at("crm").then(Endpoint::status(400)).otherwise = [] { return Endpoint::refused(); };
  apply({subscription_to("crm")});
  publish("1");
  world.run_for(1s);
  ASSERT_TRUE(
      world.run(life->service->redrive("default", deliveries()[0].id, "user:admin")).has_value());
  endpoints.at("crm").otherwise = [] { return Endpoint::status(200); };

  crash_and_restart({subscription_to("crm")});
  world.run_for(1min);

  EXPECT_THAT(data_of(endpoints.at("crm").accepted), ElementsAre("1"));
  EXPECT_EQ(status().dead, 0u);
  restart({subscription_to("crm")});
  world.run_for(1min);
  EXPECT_THAT(endpoints.at("crm").accepted, SizeIs(1)) << "delivered means the dead letter is gone";
}

}  // namespace
}  // namespace weft::delivery
