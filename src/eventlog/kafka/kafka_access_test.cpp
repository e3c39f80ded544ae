// Who sees and may do what: metadata, grants, SASL, administration.
#include "eventlog/kafka/kafka_server.h"
#include "eventlog/kafka/kafka_test_bench.h"

namespace weft::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(KafkaMetadata, EveryVersionShowsTheTopicsOfTheTenant) {
  TestBroker broker;
  const auto mine = broker.create(std::string(kOrders), 3);
  broker.create("other.thing.done.v1", 1, "acme");
  auto client = broker.connect();
  for (std::int16_t version = 0; version <= 13; ++version) {
    MetadataRequest request;
    if (version == 0) {
      request.topics.emplace();
    } else {
      request.topics.reset();
    }
    const auto answer = client.call<MetadataResponse>(version, request);
    ASSERT_EQ(answer->topics.size(), 1U) << version;
    EXPECT_EQ(answer->topics[0].name, kOrders);
    EXPECT_EQ(answer->topics[0].partitions.size(), 3U);
    EXPECT_EQ(answer->brokers.at(0).host, "broker");
    if (version >= 10) {
      EXPECT_EQ(answer->topics[0].topic_id, mine.topic_id);
    }
  }
}

TEST(KafkaMetadata, SaysOfEachAskedTopicWhatIsWrong) {
  TestBroker broker;
  const auto stream = broker.create(std::string(kOrders));
  auto client = broker.connect();
  MetadataRequest request;
  request.topics.emplace();
  request.topics->emplace_back().name = "no.such.topic.v1";
  request.topics->emplace_back().name = "not a name";
  request.topics->emplace_back().name = "__weft.groups";
  request.topics->emplace_back().topic_id = stream.topic_id;
  request.topics->back().name.reset();
  const auto answer = client.call<MetadataResponse>(12, request);
  EXPECT_EQ(answer->topics.at(0).error_code, code(KafkaError::UnknownTopicOrPartition));
  EXPECT_EQ(answer->topics.at(1).error_code, code(KafkaError::InvalidTopic));
  EXPECT_EQ(answer->topics.at(2).error_code, code(KafkaError::UnknownTopicOrPartition));
  EXPECT_EQ(answer->topics.at(3).name, kOrders);
}

TEST(KafkaAccess, AGrantDecidesOverReadingAndWriting) {
  TestBroker broker;
  const auto stream = broker.create(std::string(kOrders));
  broker.create("hidden.thing.done.v1");
  broker.options.anonymous = principal("reader", "default", "stream.read", "orders.*");
  auto client = broker.connect();
  const auto batch = batch_of({"a"});
  EXPECT_EQ(
      only_partition(client.call<ProduceResponse>(9, produce_request(kOrders, batch))).error_code,
      code(KafkaError::TopicAuthorizationFailed));
  EXPECT_EQ(only_partition(client.call<FetchResponse>(11, fetch_request(stream, 0))).error_code, 0);
  MetadataRequest all;
  all.topics.reset();
  EXPECT_EQ(client.call<MetadataResponse>(9, all)->topics.size(), 1U);
}

TEST(KafkaSasl, NothingIsServedBeforeAuthentication) {
  TestBroker broker;
  broker.options.anonymous = nullptr;
  auto client = broker.connect();
  EXPECT_EQ(client.call<ApiVersionsResponse>(0, ApiVersionsRequest())->error_code, 0);
  client.send(client.request_bytes(1, MetadataRequest()));
  EXPECT_TRUE(client.is_closed());
}

TEST(KafkaSasl, PlainWithAKeyOpensTheConnection) {
  TestBroker broker;
  broker.options.anonymous = nullptr;
  broker.create(std::string(kOrders));
  auto client = broker.connect();
  SaslHandshakeRequest handshake;
  handshake.mechanism = "PLAIN";
  EXPECT_EQ(client.call<SaslHandshakeResponse>(1, handshake)->error_code, 0);
  SaslAuthenticateRequest authenticate;
  const std::string token("\0shop\0secret", 12);
  authenticate.auth_bytes.view = token;
  EXPECT_EQ(client.call<SaslAuthenticateResponse>(2, authenticate)->error_code, 0);
  MetadataRequest all;
  all.topics.reset();
  EXPECT_EQ(client.call<MetadataResponse>(9, all)->topics.size(), 1U);
}

void sign_in(TestClient& client) {
  SaslHandshakeRequest handshake;
  handshake.mechanism = "PLAIN";
  client.call<SaslHandshakeResponse>(1, handshake);
  SaslAuthenticateRequest request;
  const std::string token("\0shop\0secret", 12);
  request.auth_bytes.view = token;
  ASSERT_EQ(client.call<SaslAuthenticateResponse>(2, request)->error_code, 0);
}

TEST(KafkaSasl, ARevokedKeyEndsItsConnectionAtTheNextRequestAfterASecond) {
  TestBroker broker;
  broker.options.anonymous = nullptr;
  const auto stream = broker.create(std::string(kOrders));
  auto client = broker.connect();
  sign_in(client);
  const auto batch = batch_of({"a"});
  broker.world.run_for(2s);
  EXPECT_EQ(
      only_partition(client.call<ProduceResponse>(9, produce_request(kOrders, batch))).error_code,
      0);

  broker.keys.is_revoked = true;
  broker.world.run_for(1s);

  client.send(client.request_bytes(9, produce_request(kOrders, batch)));
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(broker.log->partition({stream.id, 0})->end, 1);
}

TEST(KafkaSasl, AGrantThatIsTakenBackHoldsForAnOpenConnection) {
  TestBroker broker;
  broker.options.anonymous = nullptr;
  broker.create(std::string(kOrders));
  auto client = broker.connect();
  sign_in(client);
  const auto batch = batch_of({"a"});

  broker.keys.action = "stream.read";
  broker.world.run_for(1s);

  EXPECT_EQ(
      only_partition(client.call<ProduceResponse>(9, produce_request(kOrders, batch))).error_code,
      code(KafkaError::TopicAuthorizationFailed));
}

TEST(KafkaSasl, RawTokensOfTheFirstVersionWorkWithAndWithoutAnonymousAccess) {
  for (const auto& anonymous : {identity::PrincipalRef(), principal("anonymous")}) {
    TestBroker broker;
    broker.options.anonymous = anonymous;
    auto client = broker.connect();
    SaslHandshakeRequest handshake;
    handshake.mechanism = "PLAIN";
    client.call<SaslHandshakeResponse>(0, handshake);
    client.send(std::string("\0\0\0\x0c\0shop\0secret", 16));
    EXPECT_EQ(client.receive().value(), "");
    EXPECT_EQ(client.call<MetadataResponse>(1, MetadataRequest())->brokers.size(), 1U);
  }
}

TEST(KafkaSasl, AWrongKeyIsAnsweredAfterADelayAndEndsTheConnection) {
  TestBroker broker;
  broker.options.anonymous = nullptr;
  auto client = broker.connect();
  SaslHandshakeRequest handshake;
  handshake.mechanism = "PLAIN";
  client.call<SaslHandshakeResponse>(1, handshake);
  SaslAuthenticateRequest authenticate;
  const std::string token("\0shop\0guess", 11);
  authenticate.auth_bytes.view = token;
  const auto before = broker.world.clock.mono();
  const auto answer = client.call<SaslAuthenticateResponse>(1, authenticate);
  EXPECT_EQ(answer->error_code, code(KafkaError::SaslAuthenticationFailed));
  EXPECT_EQ(answer->error_message, "unknown key");
  EXPECT_GE(broker.world.clock.mono() - before, 200ms);
  EXPECT_TRUE(client.is_closed());
}

TEST(KafkaSasl, AnUnknownMechanismIsToldWhichThereAre) {
  TestBroker broker;
  auto client = broker.connect();
  SaslHandshakeRequest handshake;
  handshake.mechanism = "GSSAPI";
  const auto answer = client.call<SaslHandshakeResponse>(1, handshake);
  EXPECT_EQ(answer->error_code, code(KafkaError::UnsupportedSaslMechanism));
  EXPECT_THAT(answer->mechanisms,
              ElementsAre("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"));
}

TEST(KafkaAdmin, WithoutAPortTopicsCannotBeChanged) {
  TestBroker broker;
  auto client = broker.connect();
  CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = "new.thing.done.v1";
  topic.num_partitions = 1;
  topic.replication_factor = 1;
  const auto answer = client.call<CreateTopicsResponse>(7, request);
  EXPECT_EQ(answer->topics.at(0).error_code, code(KafkaError::PolicyViolation));
  EXPECT_THAT(std::string(*answer->topics.at(0).error_message),
              HasSubstr("declared in the estate"));
}

TEST(KafkaAdmin, ShowsTheConfigurationThatIsInForce) {
  TestBroker broker;
  broker.create(std::string(kOrders));
  auto client = broker.connect();
  DescribeConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = 2;
  resource.resource_name = kOrders;
  resource.configuration_keys = {"cleanup.policy", "retention.ms"};
  const auto answer = client.call<DescribeConfigsResponse>(4, request);
  const auto& configs = answer->results.at(0).configs;
  ASSERT_EQ(configs.size(), 2U);
  EXPECT_EQ(configs[0].value, "delete");
  EXPECT_EQ(configs[1].value, "604800000");
}

}  // namespace
}  // namespace weft::kafka
