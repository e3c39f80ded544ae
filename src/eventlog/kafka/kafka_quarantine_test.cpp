// Records that break a contract are put aside alone: the others of their batch are stored.
#include "eventlog/kafka/kafka_test_bench.h"
#include "eventlog/origin.h"
#include "eventlog/quarantine.h"

namespace weft::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kAside = "orders.order.created.v1.dlq";

class KafkaQuarantine : public testing::Test {
 protected:
  KafkaQuarantine() {
    stream = broker.create(std::string(kOrders));
    aside = broker.create(std::string(kAside));
    broker.topics->set_contract(std::string(kOrders), R"({"type": "object", "required": ["id"]})",
                                std::string(kAside));
  }
  std::vector<eventlog::Record> records(const eventlog::StreamInfo& of) {
    eventlog::ReadRequest request;
    request.partition = {of.id, 0};
    const auto info = broker.log->partition(request.partition);
    request.from = info->start;
    std::vector<eventlog::Record> all;
    while (request.from < info->end) {
      auto read = broker.world.run(broker.log->read(request)).value();
      if (read.next <= request.from) break;
      request.from = read.next;
      for (auto& record : read.records) all.push_back(std::move(record));
    }
    return all;
  }
  std::vector<std::string> values(const eventlog::StreamInfo& of) {
    std::vector<std::string> all;
    for (const auto& record : records(of)) all.push_back(record.value.value_or("null"));
    return all;
  }

  TestBroker broker;
  eventlog::StreamInfo stream;
  eventlog::StreamInfo aside;
};

TEST_F(KafkaQuarantine, TheOthersAreStoredAndLeaveHoles) {
  auto client = broker.connect();
  eventlog::Offset expected = 0;
  for (const auto codec : {eventlog::Codec::None, eventlog::Codec::Lz4, eventlog::Codec::Zstd}) {
    const auto batch = batch_of({R"({"id":1})", "broken", R"({"id":3})"}, codec);
    const auto answer = client.call<ProduceResponse>(9, produce_request(kOrders, batch));
    EXPECT_EQ(only_partition(answer).error_code, 0);
    EXPECT_EQ(only_partition(answer).base_offset, expected);
    expected += 3;
  }
  const auto stored = records(stream);
  ASSERT_EQ(stored.size(), 6U);
  EXPECT_EQ(stored[1].offset, 2);
  EXPECT_EQ(stored[1].value, R"({"id":3})");
  EXPECT_THAT(values(aside), ElementsAre("broken", "broken", "broken"));
  EXPECT_EQ(broker.metrics.counter("weft_eventlog_kafka_records_quarantined_total", "").value(),
            3U);
}

TEST_F(KafkaQuarantine, ARecordThereSaysWhatIsWrongAndWhoSentIt) {
  auto client = broker.connect();
  client.call<ProduceResponse>(9, produce_request(kOrders, batch_of({R"({"di":1})"})));
  const auto kept = records(aside);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_THAT(std::string(kept[0].header(eventlog::kQuarantineReason).value()), HasSubstr("id"));
  EXPECT_EQ(kept[0].header(eventlog::kOriginStream), kOrders);
  EXPECT_EQ(kept[0].header(eventlog::kOriginPartition), "0");
  EXPECT_EQ(kept[0].header(eventlog::kQuarantinePrincipal), "client:anonymous");
}

TEST_F(KafkaQuarantine, ABatchOfBrokenRecordsAloneStillTakesItsOffsets) {
  auto client = broker.connect();
  client.call<ProduceResponse>(
      9, produce_request(kOrders, batch_of({"x", "y"}, eventlog::Codec::Gzip)));
  const auto answer =
      client.call<ProduceResponse>(9, produce_request(kOrders, batch_of({R"({"id":1})"})));
  EXPECT_EQ(only_partition(answer).base_offset, 2);
  EXPECT_THAT(values(stream), ElementsAre(R"({"id":1})"));
  // Whoever reads from the start is led over the hole.
  const auto fetched = client.call<FetchResponse>(11, fetch_request(stream, 0));
  EXPECT_EQ(only_partition(fetched).error_code, 0);
  EXPECT_GT(only_partition(fetched).records->view.size(), 0U);
}

TEST_F(KafkaQuarantine, ARepeatedBatchIsNotPutAsideTwice) {
  auto client = broker.connect();
  eventlog::BatchOptions options;
  options.producer_id = broker.world.run(broker.log->new_producer_id()).value();
  options.producer_epoch = 0;
  options.base_sequence = 0;
  eventlog::BatchBuilder builder(options);
  builder.add(1, std::nullopt, "broken");
  builder.add(2, std::nullopt, R"({"id":2})");
  const auto batch = builder.finish().value();
  for (int i = 0; i < 2; ++i) {
    const auto answer = client.call<ProduceResponse>(9, produce_request(kOrders, batch));
    EXPECT_EQ(only_partition(answer).error_code, 0);
    EXPECT_EQ(only_partition(answer).base_offset, 0);
  }
  EXPECT_THAT(values(aside), ElementsAre("broken"));
  EXPECT_THAT(values(stream), ElementsAre(R"({"id":2})"));
}

TEST_F(KafkaQuarantine, BothSurviveACrashTogether) {
  {
    auto client = broker.connect();
    client.call<ProduceResponse>(9, produce_request(kOrders, batch_of({"broken", R"({"id":2})"})));
  }
  broker.crash();
  broker.start();
  EXPECT_THAT(values(stream), ElementsAre(R"({"id":2})"));
  EXPECT_THAT(values(aside), ElementsAre("broken"));
}

TEST_F(KafkaQuarantine, WhatKeepsTheContractLaterIsBroughtBack) {
  auto client = broker.connect();
  const auto batch = batch_of({R"({"no":1})", R"({"id":2})", R"({"no":3})", "no json"});
  client.call<ProduceResponse>(9, produce_request(kOrders, batch));
  broker.topics->set_contract(std::string(kOrders), R"({"type": "object"})", std::string(kAside));
  const auto declared = broker.topics->find("default", kOrders);
  const auto quarantine = broker.topics->find("default", kAside);
  const auto result =
      broker.world.run(eventlog::redrive(*broker.log, *broker.log, declared, quarantine));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->stored, 2U);
  EXPECT_EQ(result->kept, 1U);
  EXPECT_THAT(values(stream), ElementsAre(R"({"id":2})", R"({"no":1})", R"({"no":3})"));
  EXPECT_THAT(values(aside), ElementsAre("no json"));
  EXPECT_THAT(records(stream).back().headers, IsEmpty());
}

TEST_F(KafkaQuarantine, MoreThanABatchHoldsIsBroughtBackInSeveral) {
  auto client = broker.connect();
  for (int i = 0; i < 8; ++i) {
    const auto big = std::string(200'000, 'x');
    client.call<ProduceResponse>(
        9, produce_request(kOrders, batch_of({"\"" + big + "\"", "\"" + big + "\""})));
  }
  broker.topics->set_contract(std::string(kOrders), R"({"type": "string"})", std::string(kAside));
  const auto declared = broker.topics->find("default", kOrders);
  const auto quarantine = broker.topics->find("default", kAside);
  const auto result =
      broker.world.run(eventlog::redrive(*broker.log, *broker.log, declared, quarantine));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->stored, 16U);
  EXPECT_EQ(values(stream).size(), 16U);
  EXPECT_THAT(values(aside), IsEmpty());
}

TEST_F(KafkaQuarantine, WithoutItsStreamTheBatchIsRefused) {
  broker.topics->set_contract(std::string(kOrders), R"({"required": ["id"]})", "gone");
  auto client = broker.connect();
  const auto answer =
      client.call<ProduceResponse>(9, produce_request(kOrders, batch_of({R"({"di":1})"})));
  EXPECT_EQ(only_partition(answer).error_code, code(KafkaError::InvalidRecord));
}

TEST_F(KafkaQuarantine, PeopleAreToldOfEachBatch) {
  eventlog::Rejects rejects(*broker.log, broker.world.clock, broker.metrics);
  ASSERT_TRUE(broker.world.run(rejects.start()));
  broker.rejects = &rejects;
  auto client = broker.connect();
  client.call<ProduceResponse>(9, produce_request(kOrders, batch_of({"a", R"({"id":1})", "b"})));
  broker.topics->set_contract(std::string(kOrders), R"({"required": ["id"]})");
  client.call<ProduceResponse>(9, produce_request(kOrders, batch_of({R"({"di":1})"})));
  broker.world.run(done(rejects.flush()));
  const auto latest = broker.world.run(rejects.latest("default", std::string(kOrders), 10)).value();
  ASSERT_EQ(latest.size(), 2U);
  EXPECT_EQ(latest[0].outcome, "refused");
  EXPECT_EQ(latest[1].outcome, "quarantined");
  EXPECT_EQ(latest[1].broken, 2U);
  EXPECT_EQ(latest[1].sent, 3U);
  EXPECT_EQ(latest[1].client, "test");
  EXPECT_THAT(broker.world.run(rejects.latest("acme", std::string(kOrders), 10)).value(),
              IsEmpty());
}

}  // namespace
}  // namespace weft::kafka
