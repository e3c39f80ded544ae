// Events that come twice, over Kafka.
#include "eventlog/dedupe.h"
#include "eventlog/kafka/kafka_test_bench.h"

namespace weft::kafka {
namespace {

using testing::ElementsAre;

using Ids = std::vector<std::string>;

std::string events(const Ids& ids, const eventlog::BatchOptions& options = {}) {
  eventlog::BatchBuilder builder(options);
  for (const auto& id : ids) {
    const std::vector<std::pair<std::string, std::string>> headers = {{"ce_id", id},
                                                                      {"ce_source", "/shop"}};
    builder.add(1'700'000'000'000, std::nullopt, "event " + id, headers);
  }
  return builder.finish().value();
}

class KafkaDedupe : public testing::Test {
 protected:
  KafkaDedupe() {
    stream = broker.create(std::string(kOrders));
    broker.topics->set_dedupe(std::string(kOrders), 10min);
    index.emplace(broker.world.clock, broker.metrics);
    broker.dedupe = &*index;
  }
  KafkaError send(TestClient& client, const std::string& batch) {
    const auto answer = client.call<ProduceResponse>(9, produce_request(kOrders, batch));
    return static_cast<KafkaError>(only_partition(answer).error_code);
  }
  std::vector<std::string> values() {
    eventlog::ReadRequest request;
    request.partition = {stream.id, 0};
    const auto end = broker.log->partition(request.partition)->end;
    std::vector<std::string> all;
    while (request.from < end) {
      const auto read = broker.world.run(broker.log->read(request)).value();
      if (read.next <= request.from) break;
      request.from = read.next;
      for (const auto& record : read.records) all.push_back(*record.value);
    }
    return all;
  }

  TestBroker broker;
  eventlog::StreamInfo stream;
  std::optional<eventlog::DedupeIndex> index;
};

TEST_F(KafkaDedupe, AnEventIsStoredOnce) {
  auto client = broker.connect();
  EXPECT_EQ(send(client, events({"1", "2", "1"})), KafkaError::None);
  EXPECT_EQ(send(client, events({"2", "3"})), KafkaError::None);
  EXPECT_EQ(send(client, events({"1"})), KafkaError::None);
  EXPECT_THAT(values(), ElementsAre("event 1", "event 2", "event 3"));
}

TEST_F(KafkaDedupe, ABatchThatIsRefusedClaimsNothing) {
  auto client = broker.connect();
  eventlog::BatchOptions gap;
  gap.producer_id = broker.world.run(broker.log->new_producer_id()).value();
  gap.producer_epoch = 0;
  gap.base_sequence = 0;
  EXPECT_EQ(send(client, events({"1"}, gap)), KafkaError::None);
  gap.base_sequence = 9;
  EXPECT_EQ(send(client, events({"2"}, gap)), KafkaError::OutOfOrderSequenceNumber);
  gap.base_sequence = 1;
  EXPECT_EQ(send(client, events({"2"}, gap)), KafkaError::None);
  EXPECT_EQ(send(client, events({"2"}, gap)), KafkaError::None);
  EXPECT_THAT(values(), ElementsAre("event 1", "event 2"));
}

TEST_F(KafkaDedupe, WhatTheLogHoldsIsKnownAfterARestart) {
  {
    auto client = broker.connect();
    eventlog::BatchBuilder builder;
    const std::vector<std::pair<std::string, std::string>> headers = {{"ce_id", "1"},
                                                                      {"ce_source", "/shop"}};
    const auto now = to_unix_ms(broker.world.clock.now());
    builder.add(now, std::nullopt, "event 1", headers);
    EXPECT_EQ(send(client, builder.finish().value()), KafkaError::None);
  }
  broker.crash();
  broker.start();
  broker.topics->set_dedupe(std::string(kOrders), 10min);
  index.emplace(broker.world.clock, broker.metrics);
  std::vector<eventlog::StreamRef> streams = {broker.topics->find("default", kOrders)};
  ASSERT_TRUE(broker.world.run(index->restore(*broker.log, std::move(streams))));
  auto client = broker.connect();
  EXPECT_EQ(send(client, events({"1"})), KafkaError::None);
  EXPECT_THAT(values(), ElementsAre("event 1"));
}

}  // namespace
}  // namespace weft::kafka
