// SASL/SCRAM and OAUTHBEARER at the listener.
#include "base/bytes.h"
#include "eventlog/kafka/kafka_server.h"
#include "eventlog/kafka/kafka_test_bench.h"
#include "identity/scram_test_client.h"

namespace weft::kafka {
namespace {

using identity::ScramMechanism;
using testing::HasSubstr;

Answer<SaslAuthenticateResponse> send_token(TestClient& client, std::string_view token) {
  SaslAuthenticateRequest request;
  request.auth_bytes.view = token;
  return client.call<SaslAuthenticateResponse>(2, request);
}

void shake_hands(TestClient& client, std::string_view mechanism, std::int16_t version = 1) {
  SaslHandshakeRequest handshake;
  handshake.mechanism = mechanism;
  ASSERT_EQ(client.call<SaslHandshakeResponse>(version, handshake)->error_code, 0);
}

// The answer to the second token.
Answer<SaslAuthenticateResponse> log_in(TestClient& client, std::string_view password,
                                        std::string_view mechanism = "SCRAM-SHA-256") {
  shake_hands(client, mechanism);
  const auto first = send_token(client, "n,,n=shop,r=abc");
  EXPECT_EQ(first->error_code, 0);
  const auto by = identity::scram_mechanism(mechanism).value();
  return send_token(client,
                    identity::scram_last(by, password, "n=shop,r=abc", first->auth_bytes.view));
}

TEST(KafkaScram, OpensTheConnectionByBothMechanisms) {
  for (const auto* mechanism : {"SCRAM-SHA-256", "SCRAM-SHA-512"}) {
    TestBroker broker;
    broker.options.anonymous = nullptr;
    auto client = broker.connect();

    const auto last = log_in(client, "pencil", mechanism);

    EXPECT_EQ(last->error_code, 0);
    EXPECT_TRUE(last->auth_bytes.view.starts_with("v="));
    EXPECT_EQ(client.call<MetadataResponse>(1, MetadataRequest())->brokers.size(), 1U);
  }
}

TEST(KafkaScram, WorksWithRawTokens) {
  TestBroker broker;
  broker.options.anonymous = nullptr;
  auto client = broker.connect();
  shake_hands(client, "SCRAM-SHA-256", 0);
  const auto framed = [](std::string_view token) {
    std::string frame(4, '\0');
    store_be(frame.data(), static_cast<std::uint32_t>(token.size()));
    return frame + std::string(token);
  };

  client.send(framed("n,,n=shop,r=abc"));
  const auto first = client.receive().value();
  client.send(
      framed(identity::scram_last(ScramMechanism::Sha256, "pencil", "n=shop,r=abc", first)));

  EXPECT_TRUE(client.receive().value().starts_with("v="));
  EXPECT_EQ(client.call<MetadataResponse>(1, MetadataRequest())->brokers.size(), 1U);
}

TEST(KafkaScram, AnswersAWrongPasswordAfterADelayAndEnds) {
  TestBroker broker;
  broker.options.anonymous = nullptr;
  auto client = broker.connect();
  const auto before = broker.world.clock.mono();

  const auto last = log_in(client, "pen");

  EXPECT_EQ(last->error_code, code(KafkaError::SaslAuthenticationFailed));
  EXPECT_EQ(last->error_message, "the user is unknown or the password is wrong");
  EXPECT_GE(broker.world.clock.mono() - before, 200ms);
  EXPECT_TRUE(client.is_closed());
}

TEST(KafkaScram, ServesNothingBetweenTheTwoTokens) {
  TestBroker broker;
  broker.options.anonymous = nullptr;
  auto client = broker.connect();
  shake_hands(client, "SCRAM-SHA-256");
  ASSERT_EQ(send_token(client, "n,,n=shop,r=abc")->error_code, 0);

  client.send(client.request_bytes(1, MetadataRequest()));

  EXPECT_TRUE(client.is_closed());
}

TEST(KafkaScram, APasswordThatIsTakenAwayEndsItsConnectionAtTheNextRequestAfterASecond) {
  TestBroker broker;
  broker.options.anonymous = nullptr;
  auto client = broker.connect();
  ASSERT_EQ(log_in(client, "pencil")->error_code, 0);
  broker.world.run_for(2s);
  EXPECT_EQ(client.call<MetadataResponse>(1, MetadataRequest())->brokers.size(), 1U);

  broker.keys.is_revoked = true;
  broker.world.run_for(1s);

  client.send(client.request_bytes(1, MetadataRequest()));
  EXPECT_TRUE(client.is_closed());
}

TEST(KafkaScram, AConnectionAuthenticatesAgainAsTheSameAlone) {
  TestBroker broker;
  broker.options.anonymous = nullptr;
  auto client = broker.connect();
  ASSERT_EQ(log_in(client, "pencil")->error_code, 0);
  EXPECT_EQ(log_in(client, "pencil")->error_code, 0);

  shake_hands(client, "PLAIN");
  const auto other = send_token(client, std::string_view("\0crm\0secret", 11));

  EXPECT_EQ(other->error_code, code(KafkaError::SaslAuthenticationFailed));
  EXPECT_THAT(std::string(*other->error_message), HasSubstr("cannot become one of client:crm"));
}

constexpr std::string_view kGoodToken =
    "n,,\x01"
    "auth=Bearer good\x01\x01";

TEST(KafkaTokens, OpenTheConnectionUntilTheyExpire) {
  TestBroker broker;
  broker.options.anonymous = nullptr;
  broker.keys.token_until = broker.world.clock.now() + 90s;
  auto client = broker.connect();
  shake_hands(client, "OAUTHBEARER");

  const auto answer = send_token(client, kGoodToken);

  EXPECT_EQ(answer->error_code, 0);
  EXPECT_EQ(answer->auth_bytes.view, "");
  EXPECT_GT(answer->session_lifetime_ms, 89'000);
  EXPECT_LE(answer->session_lifetime_ms, 90'000);
  EXPECT_EQ(client.call<MetadataResponse>(1, MetadataRequest())->brokers.size(), 1U);
}

TEST(KafkaTokens, ARefusalIsAnsweredWithJsonAndEndsOnceTheClientKnows) {
  TestBroker broker;
  broker.options.anonymous = nullptr;
  auto client = broker.connect();
  shake_hands(client, "OAUTHBEARER");

  const auto refusal = send_token(client,
                                  "n,a=shop,\x01"
                                  "host=x\x01"
                                  "auth=Bearer bad\x01\x01");
  const auto end = send_token(client, "\x01");

  EXPECT_EQ(refusal->error_code, 0);
  EXPECT_EQ(refusal->auth_bytes.view, R"({"status":"invalid_token"})");
  EXPECT_EQ(end->error_code, code(KafkaError::SaslAuthenticationFailed));
  EXPECT_EQ(end->error_message, "the token is refused");
  EXPECT_TRUE(client.is_closed());
}

TEST(KafkaTokens, OfOneClientDoNotLogInAnother) {
  TestBroker broker;
  broker.options.anonymous = nullptr;
  auto same = broker.connect();
  shake_hands(same, "OAUTHBEARER");
  EXPECT_EQ(send_token(same,
                       "n,a=shop,\x01"
                       "auth=Bearer good\x01\x01")
                ->auth_bytes.view,
            "");
  auto other = broker.connect();
  shake_hands(other, "OAUTHBEARER");
  EXPECT_EQ(send_token(other,
                       "n,a=admin,\x01"
                       "auth=Bearer good\x01\x01")
                ->auth_bytes.view,
            R"({"status":"invalid_token"})");
}

TEST(KafkaTokens, AMalformedMessageIsRefusedAtOnce) {
  for (const auto* message : {"", "n,,", "n,,\x01\x01",
                              "n,,\x01"
                              "auth=Basic good\x01\x01",
                              "p=x,,\x01"
                              "auth=Bearer good\x01\x01"}) {
    TestBroker broker;
    broker.options.anonymous = nullptr;
    auto client = broker.connect();
    shake_hands(client, "OAUTHBEARER");
    EXPECT_EQ(send_token(client, message)->error_code, code(KafkaError::SaslAuthenticationFailed));
    EXPECT_TRUE(client.is_closed());
  }
}

}  // namespace
}  // namespace weft::kafka
