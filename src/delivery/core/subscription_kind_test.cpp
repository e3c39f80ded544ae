#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contracts/json_schema.h"
#include "delivery/subscription.h"
#include "estate/loader.h"

namespace weft::delivery {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr std::string_view kSubscriptionSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

class SchemaOfContracts final : public estate::SpecValidator {
 public:
  explicit SchemaOfContracts(contracts::JsonSchema schema) : schema_(std::move(schema)) {}
  std::vector<estate::SpecIssue> validate(const Json& spec) const override {
    std::vector<estate::SpecIssue> out;
    for (auto& violation : schema_.violations(spec))
      out.push_back({violation.instance, violation.message});
    return out;
  }

 private:
  contracts::JsonSchema schema_;
};

estate::KindSet kinds() {
  auto compiler = [](std::string_view text) -> Result<std::unique_ptr<estate::SpecValidator>> {
    TRY(auto document, JsonDocument::parse(std::string(text)));
    TRY(auto schema, contracts::JsonSchema::compile(document.root()));
    return std::make_unique<SchemaOfContracts>(std::move(schema));
  };
  std::vector<estate::Kind> all = {subscription_kind()};
  auto set = estate::KindSet::create(std::move(all), compiler);
  EXPECT_TRUE(set.has_value()) << set.error().message;
  return std::move(*set);
}

std::string document(std::string_view spec) {
  return fmt::format(
      "apiVersion: weft/v1\nkind: Subscription\nmetadata: {{name: crm, owner: sales}}\nspec:\n{}",
      spec);
}

std::string minimal(std::string_view more = "") {
  return document(
      fmt::format("  stream: orders\n  endpoint: {{url: 'https://crm.example.com/hooks'}}\n"
                  "  signing: {{secrets: ['${{env:SECRET}}']}}\n{}",
                  more));
}

estate::ResourcePtr load(const std::string& text) {
  static const auto set = kinds();
  auto loaded = estate::Loader(set).load_text("crm.yaml", text);
  EXPECT_TRUE(loaded.ok()) << loaded.error_text();
  return loaded.resources.empty() ? nullptr : loaded.resources.front();
}

// What the schema and the kind's own checks say.
std::vector<std::string> errors_of(const std::string& text) {
  static const auto set = kinds();
  auto resource = load(text);
  std::vector<std::string> out;
  const auto* kind = set.find("Subscription");
  for (auto& issue : set.validator(*kind).validate(resource->spec()))
    out.push_back(issue.pointer + " " + issue.message);
  if (!out.empty()) return out;
  estate::Findings findings;
  kind->check(*resource, estate::EstateView(), findings);
  for (auto& error : findings.errors) out.push_back(error.pointer + " " + error.message);
  return out;
}

estate::EnvironmentSecrets environment() {
  return estate::EnvironmentSecrets([](std::string_view name) -> std::optional<std::string> {
    if (name == "SECRET") return std::string(kSubscriptionSecret);
    if (name == "TOKEN") return "Bearer abc";
    if (name == "EVIL") return "a\r\nX-Injected: 1";
    return std::nullopt;
  });
}

TEST(SubscriptionKind, TheShortestDocumentHasTheDefaultsOfTheReference) {
  auto parsed = parse_subscription(*load(minimal()), environment());

  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_THAT(parsed->streams, ElementsAre("orders"));
  EXPECT_EQ(parsed->from, StartFrom::Latest);
  EXPECT_EQ(parsed->payload, PayloadMode::CloudEvent);
  EXPECT_EQ(parsed->retry, RetryPolicy());
  EXPECT_EQ(parsed->timeout, 15s);
  EXPECT_EQ(parsed->concurrency, 16u);
  EXPECT_EQ(parsed->ordering, Ordering::None);
  EXPECT_EQ(parsed->url.host, "crm.example.com");
  EXPECT_TRUE(parsed->url.tls);
  EXPECT_THAT(parsed->keys, SizeIs(1));
  EXPECT_FALSE(parsed->paused);
}

TEST(SubscriptionKind, EveryFieldIsRead) {
  auto parsed = parse_subscription(*load(document(R"(
  streams: [orders, returns]
  from: earliest
  filter: {types: [a, b], attributes: {region: [eu, us]}}
  endpoint:
    url: http://crm:7001/hooks?x=1
    timeout: 3s
    headers: {Authorization: '${env:TOKEN}'}
  signing: {secrets: ['${env:SECRET}', '${env:SECRET}']}
  payload: data
  retry: {attemptsMax: 3, maxAge: 1h, initialDelay: 250ms, maxDelay: 1m}
  ordering: key
  concurrency: 2
  paused: true
)")),
                                   environment());

  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_THAT(parsed->streams, ElementsAre("orders", "returns"));
  EXPECT_EQ(parsed->from, StartFrom::Earliest);
  EXPECT_EQ(parsed->filter.text(), "type = a or b, region = eu or us");
  EXPECT_THAT(parsed->headers, ElementsAre(Pair("Authorization", "Bearer abc")));
  EXPECT_EQ(parsed->url.target, "/hooks?x=1");
  EXPECT_EQ(parsed->timeout, 3s);
  EXPECT_THAT(parsed->keys, SizeIs(2));
  EXPECT_EQ(parsed->payload, PayloadMode::Data);
  EXPECT_EQ(parsed->retry.attempts_max, 3u);
  EXPECT_EQ(parsed->retry.initial_delay, 250ms);
  EXPECT_EQ(parsed->ordering, Ordering::Key);
  EXPECT_EQ(parsed->concurrency, 2u);
  EXPECT_TRUE(parsed->paused);
}

TEST(SubscriptionKind, RefersToItsStreams) {
  auto references = subscription_kind().references(load(minimal())->spec());

  ASSERT_THAT(references, SizeIs(1));
  EXPECT_EQ(references[0].kind, "Stream");
  EXPECT_EQ(references[0].name, "orders");
  EXPECT_EQ(references[0].pointer, "/spec/stream");
}

TEST(SubscriptionKind, GoodDocumentsHaveNoErrors) {
  EXPECT_THAT(errors_of(minimal()), IsEmpty());
}

TEST(SubscriptionKind, EachMistakeIsFoundBeforeAnApply) {
  auto endpoint = [](std::string_view text) {
    return document(fmt::format(
        "  stream: orders\n  endpoint: {}\n  signing: {{secrets: ['${{env:SECRET}}']}}\n", text));
  };

  EXPECT_THAT(errors_of(endpoint("{url: 'ftp://crm'}")), Not(IsEmpty()));
  EXPECT_THAT(errors_of(endpoint("{url: 'http://user:password@crm/'}")), Not(IsEmpty()));
  EXPECT_THAT(errors_of(endpoint("{url: 'http://crm', headers: {Webhook-Id: x}}")),
              ElementsAre(HasSubstr("set by Weft")));
  EXPECT_THAT(errors_of(endpoint("{url: 'http://crm', timeout: 0s}")),
              ElementsAre(HasSubstr("longer than nothing")));
  EXPECT_THAT(errors_of(minimal("  retry: {attemptsMax: 0}\n")), Not(IsEmpty()));
  EXPECT_THAT(errors_of(minimal("  retrys: {}\n")), Not(IsEmpty()));
  EXPECT_THAT(errors_of(document("  endpoint: {url: 'http://crm'}\n  signing: {secrets: [x]}\n")),
              Not(IsEmpty()))
      << "no stream";
}

TEST(SubscriptionKind, ASecretInTheDocumentIsCheckedAndWarnedOf) {
  auto with = [](std::string_view secret) {
    return document(fmt::format(
        "  stream: orders\n  endpoint: {{url: 'http://crm'}}\n  signing: {{secrets: ['{}']}}\n",
        secret));
  };

  EXPECT_THAT(errors_of(with("password")), ElementsAre(HasSubstr("whsec_")));
  estate::Findings findings;
  subscription_kind().check(*load(with(kSubscriptionSecret)), estate::EstateView(), findings);
  EXPECT_THAT(findings.errors, IsEmpty());
  ASSERT_THAT(findings.warnings, SizeIs(1));
  EXPECT_THAT(findings.warnings[0].message, Not(HasSubstr(std::string(kSubscriptionSecret))));
}

TEST(SubscriptionKind, AMissingSecretFailsByNameAndAHeaderCannotAddLines) {
  auto unknown = document(
      "  stream: o\n  endpoint: {url: 'http://crm'}\n  signing: {secrets: ['${env:NONE}']}\n");
  auto evil = document(
      "  stream: o\n  endpoint: {url: 'http://crm', headers: {X-A: '${env:EVIL}'}}\n"
      "  signing: {secrets: ['${env:SECRET}']}\n");

  auto missing = parse_subscription(*load(unknown), environment());
  auto injected = parse_subscription(*load(evil), environment());

  ASSERT_FALSE(missing.has_value());
  EXPECT_THAT(missing.error().message, HasSubstr("NONE"));
  ASSERT_FALSE(injected.has_value());
  EXPECT_THAT(injected.error().message, HasSubstr("control character"));
}

}  // namespace
}  // namespace weft::delivery
