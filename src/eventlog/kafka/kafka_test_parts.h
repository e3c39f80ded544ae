// What the broker of the Kafka edge's own tests is plugged into: who logs in, topics, rules,
// denials.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "eventlog/kafka/kafka_server.h"

namespace weft::kafka {

inline identity::PrincipalRef principal(std::string name, std::string tenant = "default",
                                        std::string action = "*", std::string resource = "*") {
  std::vector<identity::Grant> grants;
  grants.push_back({std::move(action), std::move(resource), "test"});
  return std::make_shared<const identity::Principal>(identity::make_principal(
      identity::PrincipalType::Client, std::move(name), std::move(tenant), std::move(grants)));
}

// "secret" is the password of everybody, until it is revoked.
class TestKeys final : public Authenticator {
 public:
  bool is_revoked = false;
  std::string action = "*";  // what is granted
  Result<identity::PrincipalRef> authenticate(std::string_view user,
                                              std::string_view password) const override {
    if (is_revoked || password != "secret") return fail(ErrorCode::Unauthenticated, "unknown key");
    return principal(std::string(user), "default", action);
  }
  // Of "shop" alone, whose password is "pencil".
  identity::ScramLogin find_scram(identity::ScramMechanism mechanism,
                                  std::string_view user) const override {
    identity::ScramLogin login;
    const bool is_there = user == "shop" && !is_revoked;
    login.keys = identity::scram_keys(mechanism, is_there ? "pencil" : "nobody's", "salt", 4096);
    if (is_there) login.principal = principal("shop", "default", action);
    return login;
  }
  Result<identity::PrincipalRef> authenticate_certificate(
      const PeerCertificate& certificate) const override {
    if (is_revoked || certificate.subject != "CN=shop") {
      return fail(ErrorCode::Unauthenticated, "no Client names the certificate");
    }
    return principal("shop", "default", action);
  }
  // "good" is a token of "shop" until `token_until`.
  WallTime token_until = WallTime::max();
  Task<Result<identity::TokenLogin>> authenticate_token(std::string token) const override {
    if (token != "good") co_return fail(ErrorCode::Unauthenticated, "the token is refused");
    identity::TokenLogin login;
    login.principal = principal("shop", "default", action);
    login.expires_at = token_until;
    co_return login;
  }
  Result<identity::PrincipalRef> renew_token(const identity::TokenLogin& login) const override {
    if (is_revoked) return fail(ErrorCode::Unauthenticated, "the token expired");
    return login.principal;
  }
};

// Access rules in memory; "grants" are those of documents.
class TestRules final : public AccessRuleAdmin {
 public:
  std::vector<AccessRule> made;
  std::vector<AccessRule> grants;

  Task<Result<>> create(identity::PrincipalRef, std::vector<AccessRule> rules) override {
    for (auto& rule : rules) made.push_back(std::move(rule));
    co_return Result<>();
  }
  Task<Result<>> remove(identity::PrincipalRef, std::vector<AccessRule> rules) override {
    for (const auto& rule : rules) std::erase(made, rule);
    co_return Result<>();
  }
  Result<std::vector<AccessRule>> rules(const identity::Principal&) const override { return made; }
  Result<std::vector<AccessRule>> rules_and_grants(const identity::Principal&) const override {
    auto all = made;
    all.insert(all.end(), grants.begin(), grants.end());
    return all;
  }
};

// What was refused: "group.use Group reports".
class TestDenials final : public DenialJournal {
 public:
  std::vector<std::string> noted;
  void note(const identity::Principal&, std::string_view action,
            const identity::ResourceRef& resource, const std::string&) override {
    noted.push_back(fmt::format("{} {} {}", action, resource.kind, resource.name));
  }
};

// The log's streams; one of them may have a contract.
class TestTopics final : public Topics {
 public:
  explicit TestTopics(const eventlog::EventLog& log) : all_(log) {}
  eventlog::StreamRef find(std::string_view tenant, std::string_view name) const override {
    auto stream = all_.find(tenant, name);
    if (!stream || name != contract_of_) return stream;
    auto declared = std::make_shared<eventlog::StreamDeclaration>(*stream->declared);
    declared->schema = schema_;
    if (schema_) declared->validation = eventlog::ValidationPolicy::Every;
    declared->dedupe = dedupe_;
    declared->ttl = ttl_;
    declared->quarantine = quarantine_;
    auto with_contract = std::make_shared<eventlog::Stream>(*stream);
    with_contract->declared = std::move(declared);
    return with_contract;
  }
  std::vector<eventlog::StreamRef> of_tenant(std::string_view tenant) const override {
    return all_.of_tenant(tenant);
  }
  void set_ttl(std::string stream, Duration ttl) {
    contract_of_ = std::move(stream);
    ttl_ = ttl;
  }
  void set_dedupe(std::string stream, Duration window) {
    contract_of_ = std::move(stream);
    dedupe_ = window;
  }
  void set_contract(std::string stream, std::string schema, std::string quarantine = {}) {
    quarantine_ = std::move(quarantine);
    const auto document = JsonDocument::parse(std::move(schema)).value();
    contract_of_ = std::move(stream);
    schema_ = contracts::JsonSchema::compile(document.root()).value();
  }

 private:
  LogTopics all_;
  std::string contract_of_;
  std::string quarantine_;
  Duration dedupe_{};
  Duration ttl_{};
  std::optional<contracts::JsonSchema> schema_;
};

}  // namespace weft::kafka
