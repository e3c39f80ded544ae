#include "delivery/delivery_service.h"

#include "base/bytes.h"
#include "crypto/digest.h"
#include "delivery/edge/delivery_fixture.h"

namespace weft::delivery {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(Delivery, PushesOneSignedRequestToEachMatchingSubscriptionAndNoneToTheOthers) {
  auto paid_only = subscription_to("billing", "billing");
  paid_only.filter.conditions = {{"type", {"order.paid"}}};
  apply({subscription_to("crm"), paid_only, subscription_to("erp", "erp")});

  publish("1", {{"ce_type", "order.created"}});
  publish("2", {{"ce_type", "order.paid"}});
  world.run_for(1s);

  EXPECT_THAT(data_of(endpoints.at("crm").requests), ElementsAre("1", "2"));
  EXPECT_THAT(data_of(endpoints.at("erp").requests), ElementsAre("1", "2"));
  EXPECT_THAT(data_of(endpoints.at("billing").requests), ElementsAre("2"));
}

TEST_F(Delivery, SignsSoThatAnIndependentVerifierAgrees) {
  apply({subscription_to("crm")});
  publish(R"({"total": 19.90})");
  world.run_for(1s);

  ASSERT_THAT(endpoints.at("crm").requests, SizeIs(1));
  const auto& request = endpoints.at("crm").requests.front();
  auto signed_text = fmt::format("{}.{}.{}", request.id(), request.header("webhook-timestamp"),
                                 request.request.body);
  auto key = *from_base64(kTestSecret.substr(6));

  EXPECT_EQ(request.header("webhook-signature"),
            "v1," + to_base64(crypto::hmac_sha256(key, signed_text)));
  EXPECT_EQ(request.header("content-type"), "application/cloudevents+json");
  EXPECT_EQ(request.request.method, "POST");
  EXPECT_THAT(request.request.body, HasSubstr(R"("data":{"total": 19.90})"));
}

TEST_F(Delivery, SendsBareDataWithTheEnvelopeInHeadersWhenAskedTo) {
  auto bare = subscription_to("crm");
  bare.payload = PayloadMode::Data;
  apply({bare});

  publish(R"({"a":1})", {{"ce_type", "order.created"}, {"content-type", "application/json"}});
  world.run_for(1s);

  ASSERT_THAT(endpoints.at("crm").requests, SizeIs(1));
  const auto& request = endpoints.at("crm").requests.front();
  EXPECT_EQ(request.request.body, R"({"a":1})");
  EXPECT_EQ(request.header("ce-type"), "order.created");
  EXPECT_EQ(request.header("content-type"), "application/json");
}

TEST_F(Delivery, ReceiverThatFailsFourTimesGetsTheEventOnceAsSuccessWithOneIdAndGapsOfThePolicy) {
  auto& crm = endpoints.at("crm");
  crm.then(Endpoint::status(500))
      .then(Endpoint::refused())
      .then(Endpoint::status(404))
      .then(Endpoint::status(503));
  apply({subscription_to("crm")});

  publish("1");
  world.run_for(1min);

  ASSERT_THAT(crm.requests, SizeIs(5));
  EXPECT_THAT(crm.accepted, SizeIs(1));
  std::set<std::string> ids;
  for (const auto& request : crm.requests) ids.insert(request.id());
  EXPECT_THAT(ids, SizeIs(1));
  for (std::size_t i = 1; i < crm.requests.size(); ++i) {
    auto gap = crm.requests[i].at - crm.requests[i - 1].at;
    EXPECT_LE(gap, Duration(1s) * (1 << (i - 1)) + 50ms) << "before attempt " << i + 1;
  }
}

TEST_F(Delivery, KeepsARecordOfEachAttemptWithoutSecrets) {
  endpoints.at("crm").then(
      Endpoint::status(500, {{"Set-Cookie", "sid=1"}, {"Server", "crm"}}, "database is locked"));
  auto subscription = subscription_to("crm");
  subscription.headers = {{"Authorization", "Bearer very-secret"}};
  apply({subscription});
  publish("1");
  world.run_for(10s);

  auto listed = deliveries();
  ASSERT_THAT(listed, SizeIs(1));
  auto detail = show(listed[0].id);

  EXPECT_EQ(endpoints.at("crm").requests[0].header("authorization"), "Bearer very-secret");
  EXPECT_EQ(detail.delivery.status, DeliveryStatus::Delivered);
  ASSERT_THAT(detail.attempts, SizeIs(2));
  const auto& failed = detail.attempts[0];
  EXPECT_EQ(failed.status, 500);
  EXPECT_EQ(failed.response_body, "database is locked");
  EXPECT_THAT(failed.reason, HasSubstr("500"));
  EXPECT_TRUE(failed.next_attempt.has_value());
  EXPECT_THAT(failed.response_headers,
              ::testing::Contains(::testing::Pair("Set-Cookie", "[redacted]")));
  EXPECT_THAT(failed.request_headers,
              ::testing::Contains(::testing::Pair("Authorization", "[redacted]")));
  EXPECT_THAT(failed.request_headers,
              ::testing::Contains(::testing::Pair("webhook-signature", "[redacted]")));
  EXPECT_EQ(detail.attempts[1].status, 204);
  EXPECT_EQ(detail.request_body, endpoints.at("crm").requests[1].request.body);
}

TEST_F(Delivery, CarriesTheTraceOfTheEvent) {
  apply({subscription_to("crm")});
  publish("1", {{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}});
  world.run_for(1s);

  EXPECT_THAT(endpoints.at("crm").requests[0].header("traceparent"),
              HasSubstr("4bf92f3577b34da6a3ce929d0e0e4736"));
  ASSERT_THAT(life->spans.spans, SizeIs(1));
  const auto& span = life->spans.spans[0];
  EXPECT_EQ(span.kind, SpanKind::Client);
  EXPECT_EQ(span.name, "deliver crm");
  EXPECT_EQ(to_hex({span.parent_id.data(), 8}), "00f067aa0ba902b7");
  EXPECT_EQ(deliveries()[0].trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST_F(Delivery, NeverHasMoreAttemptsUnderWayThanAllowed) {
  auto subscription = subscription_to("crm");
  subscription.concurrency = 3;
  apply({subscription});

  for (int i = 0; i < 50; ++i) publish(std::to_string(i));
  world.run_for(10s);

  EXPECT_THAT(endpoints.at("crm").accepted, SizeIs(50));
  EXPECT_EQ(endpoints.at("crm").under_way_max, 3u);
}

TEST_F(Delivery, LeavesAnOverloadedReceiverAloneForAsLongAsItAsks) {
  auto subscription = subscription_to("crm");
  subscription.concurrency = 1;
  auto& crm = endpoints.at("crm");
  crm.then(Endpoint::status(429, {{"Retry-After", "30"}}));
  apply({subscription});
  auto start = world.clock.now();

  publish("1");
  publish("2");
  world.run_for(29s);
  EXPECT_THAT(crm.requests, SizeIs(1));
  EXPECT_TRUE(status().held_until.has_value());
  world.run_for(5s);

  EXPECT_THAT(crm.accepted, SizeIs(2));
  EXPECT_GE(crm.requests[1].at, start + 30s);
}

TEST_F(Delivery, GoneDisablesTheEndpointAndEnablingGoesOnWithTheSameEvent) {
  endpoints.at("crm").then(Endpoint::status(410));
  auto subscription = subscription_to("crm");
  subscription.concurrency = 1;
  apply({subscription});
  publish("1");
  publish("2");
  world.run_for(10s);
  EXPECT_THAT(endpoints.at("crm").requests, SizeIs(1));
  EXPECT_EQ(status().state, SubscriptionState::Disabled);
  EXPECT_THAT(status().state_reason, HasSubstr("410"));

  crash_and_restart({subscription});
  world.run_for(10s);
  EXPECT_EQ(status().state, SubscriptionState::Disabled) << "also in the next life";
  EXPECT_THAT(endpoints.at("crm").requests, SizeIs(1));

  ASSERT_TRUE(world.run(life->service->enable("default", "crm")).has_value());
  world.run_for(10s);
  EXPECT_THAT(data_of(endpoints.at("crm").accepted), ElementsAre("1", "2"));
}

TEST_F(Delivery, AnotherEndpointUrlEnablesADisabledSubscription) {
  endpoints.at("crm").then(Endpoint::status(410));
  apply({subscription_to("crm")});
  publish("1");
  world.run_for(1s);

  apply({subscription_to("crm2")});
  world.run_for(10s);

  EXPECT_THAT(data_of(endpoints.at("crm2").accepted), ElementsAre("1"));
}

TEST_F(Delivery, StartsWithNewEventsOrTheOldestAsDeclared) {
  publish("1");
  auto latest = subscription_to("late", "late");
  latest.from = StartFrom::Latest;
  apply({subscription_to("crm"), latest});
  publish("2");
  world.run_for(1s);

  EXPECT_THAT(data_of(endpoints.at("crm").accepted), ElementsAre("1", "2"));
  EXPECT_THAT(data_of(endpoints.at("late").accepted), ElementsAre("2"));
}

TEST_F(Delivery, PausedKeepsEventsAndSendsThemLater) {
  auto paused = subscription_to("crm");
  paused.paused = true;
  apply({paused});
  publish("1");
  world.run_for(10s);
  EXPECT_THAT(endpoints.at("crm").requests, IsEmpty());
  EXPECT_EQ(status().state, SubscriptionState::Paused);
  EXPECT_EQ(status().lag_records, 1u);
  std::uint64_t lag = 0;
  for (const auto& position : status().positions) {
    auto end = life->log->partition(position.partition)->end;
    EXPECT_EQ(position.lag, static_cast<std::uint64_t>(end - position.next));
    lag += position.lag;
  }
  EXPECT_EQ(lag, 1u);

  apply({subscription_to("crm")});
  world.run_for(1s);

  EXPECT_THAT(data_of(endpoints.at("crm").accepted), ElementsAre("1"));
}

TEST_F(Delivery, WhatIsOlderThanTheTtlOfItsStreamIsLeftOutAndCounted) {
  life->ttl = 10s;
  auto subscription = subscription_to("crm");
  subscription.paused = true;
  apply({subscription});
  publish("1");
  publish("2");
  world.run_for(1min);
  publish("3");
  subscription.paused = false;
  apply({subscription});
  world.run_for(1s);

  EXPECT_THAT(data_of(endpoints.at("crm").accepted), ElementsAre("3"));
  EXPECT_EQ(status().dead, 0u);
  EXPECT_EQ(status().lag_records, 0u);
  EXPECT_EQ(life->metrics
                .counter("weft_delivery_expired_events_total", "",
                         {{"subscription", "crm"}, {"tenant", "default"}})
                .value(),
            2u);
}

TEST_F(Delivery, AnExpiredEventIsADeadLetterWhereTheSubscriptionSaysSo) {
  life->ttl = 10s;
  auto subscription = subscription_to("crm");
  subscription.paused = true;
  subscription.keeps_expired = true;
  apply({subscription});
  publish("1");
  world.run_for(1min);
  subscription.paused = false;
  apply({subscription});
  world.run_for(1s);

  EXPECT_THAT(endpoints.at("crm").requests, IsEmpty());
  const auto dead = deliveries(DeliveryStatus::Dead);
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_THAT(dead[0].dead_reason, HasSubstr("expired"));

  // Somebody who sends it all the same knows what he does.
  ASSERT_TRUE(world.run(life->service->redrive("default", dead[0].id, "user:admin")));
  world.run_for(1s);
  EXPECT_THAT(data_of(endpoints.at("crm").accepted), ElementsAre("1"));
}

TEST_F(Delivery, AnEventThatExpiresWhileItIsTriedAgainIsADeadLetter) {
  life->ttl = 10s;
  endpoints.at("crm").otherwise = [] { return Endpoint::status(503); };
  apply({subscription_to("crm")});
  publish("1");
  world.run_for(1h);

  const auto tried = endpoints.at("crm").requests.size();
  EXPECT_GE(tried, 1U);
  EXPECT_LT(tried, 6U);
  ASSERT_EQ(deliveries(DeliveryStatus::Dead).size(), 1U);
}

TEST_F(Delivery, AfterARestartNothingIsSentTwiceAndRetriesKeepTheirTime) {
  auto slow = subscription_to("crm");
  slow.retry.initial_delay = 10min;
  slow.retry.delay_max = 10min;
  auto& crm = endpoints.at("crm");
  crm.then(Endpoint::status(500));
  apply({slow});
  publish("1");
  publish("2");
  world.run_for(1s);
  ASSERT_THAT(crm.requests, SizeIs(2));
  auto planned = deliveries(DeliveryStatus::Failing);
  ASSERT_THAT(planned, SizeIs(1));

  restart({slow});
  auto failing = deliveries(DeliveryStatus::Failing);
  ASSERT_THAT(failing, SizeIs(1));
  EXPECT_EQ(failing[0].next_attempt, planned[0].next_attempt);
  EXPECT_EQ(failing[0].last_status, 500);
  EXPECT_THAT(deliveries(DeliveryStatus::Delivered), SizeIs(1));
  world.run_for(10min);

  ASSERT_THAT(crm.requests, SizeIs(3));
  EXPECT_GE(crm.requests[2].at, *planned[0].next_attempt);
  EXPECT_EQ(crm.requests[2].id(), crm.requests[0].id());
}

// The simulation's seed 7 numbered two attempts alike.
TEST_F(Delivery, ARemovedSubscriptionThatComesBackBeginsAnew) {
  apply({subscription_to("crm")});
  publish("1");
  world.run_for(1s);
  apply({});
  world.run_for(2s);

  auto again = subscription_to("crm");
  again.from = StartFrom::Latest;
  apply({again});
  publish("2");
  world.run_for(1s);

  EXPECT_THAT(data_of(endpoints.at("crm").accepted), ElementsAre("1", "2"));
}

TEST_F(Delivery, WhatATwinSubscriptionLeftBehindDoesNotEraseTheNewOnesBeginning) {
  apply({subscription_to("crm")});
  publish("1");
  world.run_for(1s);
  auto again = subscription_to("crm");
  again.from = StartFrom::Latest;
  life->service->set_subscriptions({});
  apply({again});
  life->crash();
  begin();
  publish("2");

  apply({again});
  world.run_for(1s);

  EXPECT_THAT(data_of(endpoints.at("crm").accepted), ElementsAre("1", "2"));
}

TEST_F(Delivery, ASubscriptionThatGoesWhileItsBeginningIsWrittenLeavesNone) {
  DiskFaults slow;
  slow.delay_min = slow.delay_max = 10ms;
  world.disk.set_faults(slow);
  life->service->set_subscriptions({std::make_shared<const Subscription>(subscription_to("crm"))});
  world.run_for(15ms);
  life->service->set_subscriptions({});
  world.run_for(1s);
  world.disk.set_faults({});
  publish("1");
  life->crash();
  begin();

  auto again = subscription_to("crm");
  again.from = StartFrom::Latest;
  apply({again});
  publish("2");
  world.run_for(1s);

  EXPECT_THAT(data_of(endpoints.at("crm").accepted), ElementsAre("2"));
}

TEST_F(Delivery, AddedPartitionsAndStreamsOfLaterAreDelivered) {
  auto subscription = subscription_to("crm");
  subscription.streams = {"orders", "returns"};
  subscription.from = StartFrom::Latest;
  apply({subscription});
  make_stream("returns", 1);
  publish("r1", {}, "returns");
  eventlog::StreamSettings grown;
  grown.name = "orders";
  grown.partitions = 3;
  auto orders = life->log->find_stream("default", "orders")->id;
  ASSERT_TRUE(world.run(life->log->alter_stream(orders, grown)).has_value());
  for (int i = 0; i < 6; ++i) publish(std::to_string(i));
  world.run_for(5s);

  EXPECT_THAT(endpoints.at("crm").accepted, SizeIs(7));
}

TEST_F(Delivery, TooManyDeadLettersPauseTheSubscriptionInsteadOfLosingEvents) {
  life->end();
  DeliveryLimits limits;
  limits.dead_letters_max = 5;
  begin(limits);
  auto subscription = subscription_to("crm");
  subscription.concurrency = 1;
  endpoints.at("crm").otherwise = [] { return Endpoint::status(400); };
  apply({subscription});
  for (int i = 0; i < 5; ++i) publish(std::to_string(i));
  world.run_for(3s);
  EXPECT_EQ(status().state, SubscriptionState::Paused);

  publish("kept");
  world.run_for(10s);
  EXPECT_THAT(endpoints.at("crm").requests, SizeIs(5));
  endpoints.at("crm").otherwise = [] { return Endpoint::status(200); };
  ASSERT_EQ(world.run(life->service->redrive_all("default", "crm", "user:admin")).value_or(0), 5u);
  world.run_for(10s);

  EXPECT_THAT(endpoints.at("crm").accepted, SizeIs(6));
}

TEST_F(Delivery, AFullAcknowledgementSetStopsReadingAndLosesNothing) {
  life->end();
  DeliveryLimits limits;
  limits.unsettled_max = 4;
  begin(limits);
  endpoints.at("crm").otherwise = [] { return Endpoint::refused(); };
  auto patient = subscription_to("crm");
  patient.retry.attempts_max = 100;
  apply({patient});
  for (int i = 0; i < 20; ++i) publish(std::to_string(i));
  world.run_for(30s);
  EXPECT_LE(deliveries().size(), 4u);

  endpoints.at("crm").otherwise = [] { return Endpoint::status(200); };
  world.run_for(5min);

  EXPECT_THAT(endpoints.at("crm").accepted, SizeIs(20));
}

TEST_F(Delivery, OrderedByKeyALaterEventWaitsForTheOneBeforeAndOtherKeysDoNot) {
  auto ordered = subscription_to("crm");
  ordered.ordering = Ordering::Key;
  ordered.retry.initial_delay = 1s;
  apply({ordered});
  auto& crm = endpoints.at("crm");
  crm.then(Endpoint::status(500));

  publish(R"("a1")", {}, "orders", "a");
  publish(R"("a2")", {}, "orders", "a");
  publish(R"("b1")", {}, "orders", "b");
  publish(R"("loose")");
  world.run_for(20ms);

  EXPECT_THAT(data_of(crm.requests), ElementsAre(R"("a1")", R"("b1")", R"("loose")"));
  EXPECT_EQ(status().held, 1u);
  world.run_for(5s);
  EXPECT_THAT(data_of(crm.requests),
              ElementsAre(R"("a1")", R"("b1")", R"("loose")", R"("a1")", R"("a2")"));
  EXPECT_EQ(status().held, 0u);
}

TEST_F(Delivery, OrderedByPartitionEventsGoOneByOneAlsoAfterACrash) {
  auto ordered = subscription_to("crm");
  ordered.ordering = Ordering::Partition;
  ordered.retry.initial_delay = 1s;
  ordered.retry.attempts_max = 100;
  apply({ordered});
  auto& crm = endpoints.at("crm");
  crm.otherwise = [] { return Endpoint::status(503); };
  for (auto value : {"1", "2", "3"}) publish(value);
  world.run_for(10s);
  EXPECT_EQ(crm.under_way_max, 1u);
  EXPECT_THAT(data_of(crm.requests), ::testing::Each("1"));

  crm.otherwise = [] { return Endpoint::status(204); };
  crash_and_restart({ordered});
  world.run_for(1h);

  EXPECT_THAT(data_of(crm.accepted), ElementsAre("1", "2", "3"));
}

TEST_F(Delivery, AnEventThatIsGivenUpLetsThoseBehindItPass) {
  auto ordered = subscription_to("crm");
  ordered.ordering = Ordering::Key;
  apply({ordered});
  auto& crm = endpoints.at("crm");
  crm.then(Endpoint::status(422));

  publish("1", {}, "orders", "a");
  publish("2", {}, "orders", "a");
  world.run_for(1s);

  EXPECT_THAT(data_of(crm.accepted), ElementsAre("2"));
  EXPECT_THAT(deliveries(DeliveryStatus::Dead), SizeIs(1));
}

TEST_F(Delivery, ListsPageByPageTheLatestFirst) {
  apply({subscription_to("crm")});
  for (int i = 0; i < 25; ++i) publish(std::to_string(i));
  world.run_for(2s);

  DeliveryQuery query;
  query.tenant = "default";
  query.limit = 10;
  std::vector<eventlog::Offset> seen;
  do {
    auto page = life->service->list(query);
    for (const auto& item : page.items) seen.push_back(item.offset);
    query.cursor = page.next_cursor;
  } while (!query.cursor.empty());

  ASSERT_THAT(seen, SizeIs(25));
  EXPECT_TRUE(std::ranges::is_sorted(seen, std::greater<>()));
  query.tenant = "other";
  EXPECT_THAT(life->service->list(query).items, IsEmpty());
}

TEST_F(Delivery, StopWaitsForAttemptsUnderWayAndRecordsThem) {
  endpoints.at("crm").delay = [] { return Duration(3s); };
  apply({subscription_to("crm")});
  publish("1");
  world.run_for(1s);

  restart({subscription_to("crm")});
  world.run_for(10s);

  EXPECT_THAT(endpoints.at("crm").requests, SizeIs(1));
  EXPECT_THAT(deliveries(DeliveryStatus::Delivered), SizeIs(1));
}

TEST_F(Delivery, AnAttemptCutOffByStopIsMadeAgainWithTheSameId) {
  endpoints.at("crm").delay = [] { return Duration(1min); };
  apply({subscription_to("crm")});
  publish("1");
  world.run_for(1s);
  life->end();
  endpoints.at("crm").delay = [] { return Duration(1ms); };

  begin();
  apply({subscription_to("crm")});
  world.run_for(10s);

  auto& crm = endpoints.at("crm");
  ASSERT_THAT(crm.requests, SizeIs(2));
  EXPECT_EQ(crm.requests[0].id(), crm.requests[1].id());
}

}  // namespace
}  // namespace weft::delivery
