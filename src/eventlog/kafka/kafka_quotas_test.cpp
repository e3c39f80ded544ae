// Quotas as Kafka clients meet them: throttle times, muted connections, administration.
#include "eventlog/kafka/kafka_test_bench.h"

namespace weft::kafka {
namespace {

using eventlog::QuotaEntity;
using eventlog::QuotaLimits;
using eventlog::QuotaRate;
using testing::HasSubstr;

// Remembers what was asked.
class TestQuotaAdmin final : public QuotaAdmin {
 public:
  std::vector<std::pair<QuotaEntity, QuotaChange>> asked;
  Task<Result<>> alter(identity::PrincipalRef, QuotaEntity entity, QuotaChange change,
                       bool) override {
    asked.emplace_back(std::move(entity), std::move(change));
    co_return Result<>();
  }
};

class KafkaQuotas : public testing::Test {
 protected:
  void limit(QuotaEntity entity, QuotaLimits limits) {
    rules_[std::move(entity)] = limits;
    broker.quotas->publish(1, std::make_shared<const eventlog::Quotas::Rules>(rules_));
  }
  static QuotaLimits rate(QuotaRate rate, std::uint64_t per_second) {
    QuotaLimits limits;
    limits.rates[static_cast<std::size_t>(rate)] = per_second;
    return limits;
  }

  TestBroker broker;
  eventlog::Quotas::Rules rules_;
  const QuotaEntity tenant_{"default", std::nullopt, std::nullopt};
};

TEST_F(KafkaQuotas, AProducerIsToldItsThrottleTimeAndIsNotReadMeanwhile) {
  broker.create(std::string(kOrders));
  limit(tenant_, rate(QuotaRate::ProduceBytes, 100));
  auto client = broker.connect();
  const auto batch = batch_of({std::string(400, 'x')});
  const auto answer = client.call<ProduceResponse>(9, produce_request(kOrders, batch));
  EXPECT_EQ(only_partition(answer).error_code, 0);
  const auto throttle = std::chrono::milliseconds(answer->throttle_time_ms);
  EXPECT_GT(throttle, 3s);
  EXPECT_LT(throttle, 5s);

  const auto before = broker.world.clock.mono();
  client.call<MetadataResponse>(9, MetadataRequest());
  EXPECT_GE(broker.world.clock.mono() - before, throttle);
}

TEST_F(KafkaQuotas, AConsumerIsThrottledAndAnotherTenantIsNot) {
  const auto stream = broker.create(std::string(kOrders));
  auto client = broker.connect();
  const auto batch = batch_of({std::string(4'000, 'x')});
  client.call<ProduceResponse>(9, produce_request(kOrders, batch));
  limit({"acme", std::nullopt, std::nullopt}, rate(QuotaRate::FetchBytes, 100));
  EXPECT_EQ(client.call<FetchResponse>(11, fetch_request(stream, 0))->throttle_time_ms, 0);
  limit(tenant_, rate(QuotaRate::FetchBytes, 1'000));
  EXPECT_GT(client.call<FetchResponse>(11, fetch_request(stream, 0))->throttle_time_ms, 2'000);
}

TEST_F(KafkaQuotas, AThrottleIsNoLongerThanTheSetting) {
  broker.create(std::string(kOrders));
  limit(tenant_, rate(QuotaRate::ProduceBytes, 1));
  auto client = broker.connect();
  const auto batch = batch_of({std::string(4'000, 'x')});
  const auto answer = client.call<ProduceResponse>(9, produce_request(kOrders, batch));
  EXPECT_EQ(answer->throttle_time_ms, 10'000);
}

TEST_F(KafkaQuotas, AConnectionBeyondTheTenantsIsClosed) {
  QuotaLimits limits;
  limits.connections_max = 1;
  limit(tenant_, limits);
  auto first = broker.connect();
  EXPECT_EQ(first.call<MetadataResponse>(9, MetadataRequest())->brokers.size(), 1U);
  auto second = broker.connect();
  second.send(second.request_bytes(9, MetadataRequest()));
  EXPECT_TRUE(second.is_closed());
}

TEST_F(KafkaQuotas, FullStorageRefusesRecordsWithAReasonAndLetsReadersBe) {
  const auto stream = broker.create(std::string(kOrders));
  auto client = broker.connect();
  const auto batch = batch_of({std::string(4'000, 'x')});
  QuotaLimits limits;
  limits.storage_bytes_max = 1'000;
  limit(tenant_, limits);
  client.call<ProduceResponse>(9, produce_request(kOrders, batch));
  broker.quotas->measure_storage(*broker.log);
  const auto answer = client.call<ProduceResponse>(9, produce_request(kOrders, batch));
  EXPECT_EQ(only_partition(answer).error_code, code(KafkaError::PolicyViolation));
  EXPECT_THAT(std::string(only_partition(answer).error_message.value_or("")),
              HasSubstr("its quota is 1000"));
  EXPECT_EQ(only_partition(client.call<FetchResponse>(11, fetch_request(stream, 0))).error_code, 0);
}

TEST_F(KafkaQuotas, AreDescribedAsKafkaKnowsThem) {
  limit({"default", "shop", std::nullopt}, rate(QuotaRate::ProduceBytes, 100));
  limit({"default", "*", "web"}, rate(QuotaRate::FetchBytes, 200));
  limit({"acme", "shop", std::nullopt}, rate(QuotaRate::ProduceBytes, 300));
  limit(tenant_, rate(QuotaRate::ProduceBytes, 400));
  auto client = broker.connect();
  DescribeClientQuotasRequest request;
  EXPECT_EQ(client.call<DescribeClientQuotasResponse>(1, request)->entries->size(), 2U);
  request.components.push_back({"user", 0, "shop"});
  const auto answer = client.call<DescribeClientQuotasResponse>(0, request);
  ASSERT_EQ(answer->entries->size(), 1U);
  EXPECT_EQ(answer->entries->at(0).entity.at(0).entity_name, "shop");
  EXPECT_EQ(answer->entries->at(0).values.at(0).key, "producer_byte_rate");
  EXPECT_EQ(answer->entries->at(0).values.at(0).value, 100);
  request.components = {{"ip", 2, std::nullopt}};
  EXPECT_EQ(client.call<DescribeClientQuotasResponse>(1, request)->error_code,
            code(KafkaError::InvalidRequest));
}

TEST_F(KafkaQuotas, AreNotShownWithoutTheGrant) {
  broker.options.anonymous = principal("reader", "default", "stream.*");
  auto client = broker.connect();
  EXPECT_EQ(client.call<DescribeClientQuotasResponse>(1, DescribeClientQuotasRequest())->error_code,
            code(KafkaError::ClusterAuthorizationFailed));
}

TEST_F(KafkaQuotas, AreAlteredOneByOne) {
  TestQuotaAdmin admin;
  broker.quota_admin = &admin;
  auto client = broker.connect();
  AlterClientQuotasRequest request;
  auto& good = request.entries.emplace_back();
  good.entity = {{"user", "shop"}, {"client-id", std::nullopt}};
  good.ops = {{"producer_byte_rate", 1024, false}, {"consumer_byte_rate", 0, true}};
  auto& unknown = request.entries.emplace_back();
  unknown.entity = {{"user", "shop"}};
  unknown.ops = {{"request_percentage", 50, false}};
  auto& fraction = request.entries.emplace_back();
  fraction.entity = {{"user", "shop"}};
  fraction.ops = {{"producer_byte_rate", 0.5, false}};
  const auto answer = client.call<AlterClientQuotasResponse>(1, request);
  ASSERT_EQ(answer->entries.size(), 3U);
  EXPECT_EQ(answer->entries[0].error_code, 0);
  EXPECT_EQ(answer->entries[1].error_code, code(KafkaError::InvalidRequest));
  EXPECT_EQ(answer->entries[2].error_code, code(KafkaError::InvalidRequest));
  ASSERT_EQ(admin.asked.size(), 1U);
  EXPECT_EQ(admin.asked[0].first, (QuotaEntity{"default", "shop", "*"}));
  EXPECT_EQ(admin.asked[0].second,
            (QuotaChange{{QuotaRate::ProduceBytes, 1024}, {QuotaRate::FetchBytes, 0}}));
}

}  // namespace
}  // namespace weft::kafka
