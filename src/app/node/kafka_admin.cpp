#include "app/node/kafka_admin.h"

#include <algorithm>
#include <iterator>

#include "base/bytes.h"
#include "base/json_members.h"
#include "base/json_writer.h"
#include "crypto/digest.h"

namespace weft::app {
namespace {

using kafka::AccessRule;

constexpr std::string_view kRuleKind = "AccessRule";
constexpr std::size_t kNameDigits = 16;

Result<> allow_admin(const identity::Principal& by, std::string_view action) {
  return may(by, action, "Cluster", "kafka-cluster");
}

AccessRule rule_of(const estate::Resource& resource) {
  const auto& spec = resource.spec();
  AccessRule rule{text_of(spec, "client"), text_of(spec, "action"), text_of(spec, "resource")};
  if (text_of(spec, "effect") == "deny") rule.effect = identity::Effect::Deny;
  return rule;
}

std::string spec_of(const AccessRule& rule) {
  JsonWriter out;
  out.object().member("client", rule.client).member("action", rule.action);
  out.member("resource", rule.resource);
  out.member("effect", rule.effect == identity::Effect::Deny ? "deny" : "allow").end();
  return std::move(out).text();
}

// The same rule has the same name, whoever makes it.
std::string document_of(const AccessRule& rule, const identity::Principal& by) {
  const auto spec = spec_of(rule);
  JsonWriter out;
  out.object().member("apiVersion", estate::kApiVersion).member("kind", kRuleKind);
  out.key("metadata").object();
  out.member("name", "acl-" + to_hex(crypto::sha256(spec)).substr(0, kNameDigits));
  out.member("tenant", by.tenant).member("owner", by.name).end();
  out.key("spec").raw(spec).end();
  return std::move(out).text();
}

bool has(const std::vector<AccessRule>& rules, const AccessRule& wanted) {
  return std::ranges::find(rules, wanted) != rules.end();
}

std::vector<AccessRule> rules_in(const estate::EstateView& view, std::string_view tenant) {
  std::vector<AccessRule> rules;
  for (const auto& each : view.of_kind(tenant, kRuleKind)) rules.push_back(rule_of(*each));
  return rules;
}

void add_grants(const estate::Resource& from, const std::string& client,
                std::vector<AccessRule>& rules) {
  const auto* grants = from.spec().find("grants");
  if (grants == nullptr) return;
  for (const auto& grant : grants->elements()) {
    rules.push_back({client, text_of(grant, "action"), text_of(grant, "resource")});
  }
}

}  // namespace

Task<Result<>> EstateAccessRules::create(identity::PrincipalRef by, std::vector<AccessRule> rules) {
  CO_CHECK(allow_admin(*by, identity::action::kAdminAcl));
  ClientChanges::Change change =
      [this, by, rules](const estate::EstateView& view) -> Result<estate::ChangeSet> {
    auto there = rules_in(view, by->tenant);
    estate::ChangeSet changes;
    for (const auto& rule : rules) {
      if (has(there, rule)) continue;
      TRY(auto one, changes_.put(document_of(rule, *by)));
      std::ranges::move(one.resources, std::back_inserter(changes.resources));
      there.push_back(rule);
    }
    return changes;
  };
  co_return co_await changes_.carry_out(by, std::move(change), false);
}

Task<Result<>> EstateAccessRules::remove(identity::PrincipalRef by, std::vector<AccessRule> rules) {
  CO_CHECK(allow_admin(*by, identity::action::kAdminAcl));
  ClientChanges::Change change =
      [by, rules](const estate::EstateView& view) -> Result<estate::ChangeSet> {
    estate::ChangeSet changes;
    for (const auto& each : view.of_kind(by->tenant, kRuleKind)) {
      if (!has(rules, rule_of(*each))) continue;
      const auto* entry = view.find_entry(each->id());
      if (entry != nullptr && entry->managed_by != kClientManager) {
        return fail(ErrorCode::FailedPrecondition,
                    "{} is declared by '{}' and is changed there; nothing was deleted",
                    each->id().text(), entry->managed_by);
      }
      changes.deletions.push_back(each->id());
    }
    // An ACL that is a part of a wider rule, such as one of the action "*", is no rule of its own.
    const auto there = rules_in(view, by->tenant);
    for (const auto& rule : rules) {
      if (has(there, rule)) continue;
      return fail(ErrorCode::FailedPrecondition,
                  "{} on {} is a part of a wider AccessRule: change that one where it is declared; "
                  "nothing was deleted",
                  rule.action, rule.resource);
    }
    return changes;
  };
  co_return co_await changes_.carry_out(by, std::move(change), false);
}

Result<std::vector<AccessRule>> EstateAccessRules::rules(const identity::Principal& by) const {
  CHECK(allow_admin(by, identity::action::kAdminAcl));
  return rules_in(*changes_.current(), by.tenant);
}

Result<std::vector<AccessRule>> EstateAccessRules::rules_and_grants(
    const identity::Principal& by) const {
  CHECK(allow_admin(by, identity::action::kAdminAcl));
  const auto view = changes_.current();
  auto found = rules_in(*view, by.tenant);
  for (const auto& client : view->of_kind(by.tenant, "Client")) {
    add_grants(*client, client->name(), found);
    const auto* roles = client->spec().find("roles");
    if (roles == nullptr) continue;
    for (const auto& name : roles->elements()) {
      const auto* role = view->find(by.tenant, "Role", name.as_string());
      if (role != nullptr) add_grants(*role, client->name(), found);
    }
  }
  return found;
}

Result<std::vector<kafka::ScramDescription>> IdentityPasswords::users(
    const identity::Principal& by) const {
  CHECK(allow_admin(by, identity::action::kAdminKeys));
  std::vector<kafka::ScramDescription> found;
  for (auto& user : identity_.scram_users(by.tenant)) {
    found.push_back({std::move(user.client), user.mechanism, user.iterations});
  }
  return found;
}

Task<Result<>> IdentityPasswords::change(identity::PrincipalRef by, std::string user,
                                         identity::ScramMechanism mechanism,
                                         std::optional<identity::ScramKeys> keys) {
  CO_CHECK(allow_admin(*by, identity::action::kAdminKeys));
  identity::ScramChange change(by->tenant, std::move(user), mechanism, std::move(keys));
  co_return co_await identity_.change_scram(by->id, std::move(change));
}

}  // namespace weft::app
