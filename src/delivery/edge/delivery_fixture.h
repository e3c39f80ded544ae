// A delivery service with a log and endpoints of its own in a simulated world, for its tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "delivery/delivery_service.h"
#include "delivery/edge/delivery_bench.h"

namespace weft::delivery {

class Delivery : public ::testing::Test {
 protected:
  Delivery() : world(7), endpoints(world.clock) { begin(); }
  ~Delivery() override { life->end(); }

  void begin(DeliveryLimits limits = {}) {
    life = std::make_unique<DeliveryLife>(world, endpoints, limits);
    EXPECT_EQ(life->error, "");
    if (!life->log->find_stream("default", "orders")) make_stream("orders");
  }
  void restart(std::vector<Subscription> with) {
    life->end();
    begin();
    apply(std::move(with));
  }
  void crash_and_restart(std::vector<Subscription> with) {
    life->crash();
    begin();
    apply(std::move(with));
  }

  eventlog::StreamId make_stream(std::string name, std::int32_t partitions = 1) {
    eventlog::StreamSettings settings;
    settings.name = std::move(name);
    settings.partitions = partitions;
    auto made = world.run(life->log->create_stream(settings));
    EXPECT_TRUE(made.has_value());
    return made->id;
  }

  void apply(std::vector<Subscription> subscriptions) {
    std::vector<SubscriptionRef> out;
    for (auto& one : subscriptions) out.push_back(shared(std::move(one)));
    life->service->set_subscriptions(std::move(out));
    world.run_for(100ms);
  }

  void publish(std::string value, std::vector<std::pair<std::string, std::string>> headers = {},
               std::string stream = "orders", std::optional<std::string> key = std::nullopt) {
    eventlog::NewRecords records;
    records.stream = life->log->find_stream("default", stream)->id;
    auto& record = records.records.emplace_back();
    record.value = std::move(value);
    record.headers = std::move(headers);
    record.key = std::move(key);
    std::vector<eventlog::NewRecords> entry;
    entry.push_back(std::move(records));
    ASSERT_TRUE(world.run(life->log->append(std::move(entry))).has_value());
  }

  std::vector<std::string> data_of(const std::vector<ReceivedRequest>& requests) {
    std::vector<std::string> out;
    for (const auto& one : requests) {
      auto document = JsonDocument::parse(one.request.body);
      const auto* data = document ? document->root().find("data") : nullptr;
      out.emplace_back(data ? data->raw() : "?");
    }
    return out;
  }

  SubscriptionStatus status(std::string name = "crm") {
    auto found = world.run(life->service->subscription("default", std::move(name)));
    EXPECT_TRUE(found.has_value());
    return found.value_or(SubscriptionStatus());
  }
  std::vector<DeliverySummary> deliveries(std::optional<DeliveryStatus> status = std::nullopt) {
    DeliveryQuery query;
    query.tenant = "default";
    query.status = status;
    return life->service->list(query).items;
  }
  DeliveryDetail show(std::string id) {
    auto detail = world.run(life->service->show("default", std::move(id)));
    EXPECT_TRUE(detail.has_value());
    return detail.value_or(DeliveryDetail());
  }

  World world;
  SimulatedEndpoints endpoints;
  std::unique_ptr<DeliveryLife> life;
};

}  // namespace weft::delivery
