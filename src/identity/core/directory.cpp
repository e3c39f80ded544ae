#include "identity/core/directory.h"

#include <algorithm>
#include <iterator>

#include "base/json_members.h"
#include "identity/core/api_key.h"
#include "identity/decisions.h"

namespace weft::identity {

namespace {

void add_grants(const estate::Resource& resource, std::vector<Grant>& grants) {
  const auto* list = resource.spec().find("grants");
  if (list == nullptr) return;
  for (const auto& grant : list->elements()) {
    grants.push_back({text_of(grant, "action"), text_of(grant, "resource"), resource.id().text()});
  }
}

// The roles that a client names; they were checked as references before anything is compiled.
std::vector<const estate::Resource*> roles_of(const estate::Resource& client,
                                              const estate::EstateView& view) {
  std::vector<const estate::Resource*> found;
  const auto* roles = client.spec().find("roles");
  if (roles == nullptr) return found;
  for (const auto& name : roles->elements()) {
    const auto* role = view.find(client.tenant(), "Role", name.as_string());
    if (role != nullptr) found.push_back(role);
  }
  return found;
}

// The access rules of a generation, by whom they are for.
using RulesByClient = std::map<ClientName, std::vector<const estate::Resource*>, std::less<>>;

RulesByClient rules_by_client(const estate::EstateView& view) {
  RulesByClient rules;
  for (const auto& rule : view.of_kind("AccessRule")) {
    rules[{rule->tenant(), text_of(rule->spec(), "client")}].push_back(rule.get());
  }
  return rules;
}

std::vector<const estate::Resource*> rules_of(const estate::Resource& client,
                                              const RulesByClient& rules) {
  std::vector<const estate::Resource*> found;
  for (const auto& whom : {client.name(), std::string("*")}) {
    const auto own = rules.find(ClientName(client.tenant(), whom));
    if (own != rules.end()) found.insert(found.end(), own->second.begin(), own->second.end());
  }
  return found;
}

bool names(const std::vector<Grant>& grants, std::string_view area) {
  return std::ranges::any_of(grants,
                             [&](const Grant& grant) { return grant.action.starts_with(area); });
}

bool may_write(const std::vector<Grant>& grants) {
  return std::ranges::any_of(grants, [](const Grant& grant) {
    return grant.effect == Effect::Allow && matches_pattern(grant.action, action::kStreamWrite);
  });
}

void add_own(std::string_view area, const std::string& client, std::vector<Grant>& grants) {
  const auto all = fmt::format("{}*", area);
  for (const char* end : {"", "-*", ".*", "_*"}) {
    grants.push_back({all, client + end, std::string(kOwnName)});
  }
}

// A client whose documents say nothing of groups has those of its name, and so with transactional
// ids, which are for those who write to something. Rules add to that and take from it.
void add_grants_of_name(const std::string& client, const std::vector<Grant>& rules,
                        std::vector<Grant>& grants) {
  const bool has_groups = names(grants, "group.");
  const bool has_transactions = names(grants, "transaction.");
  const bool writes = may_write(grants) || may_write(rules);
  if (!has_groups) add_own("group.", client, grants);
  if (!has_transactions && writes) add_own("transaction.", client, grants);
}

Result<> declare_keys(const estate::Resource& client, const estate::SecretSource& secrets,
                      const crypto::HmacKey& pepper, CompiledClient& compiled) {
  const auto* list = client.spec().find("apiKeys");
  if (list == nullptr) return {};
  for (const auto& reference : list->elements()) {
    auto key = secrets.reveal(reference.as_string());
    if (!key) return Failure(std::move(key).error().within(client.id().text()));
    auto id = key_id_of(*key);
    if (!id) {
      return fail(ErrorCode::InvalidArgument,
                  "{}: the value of {} is no API key; a key is weft_<16 hex digits>_<43 characters "
                  "of base64url>",
                  client.id().text(), reference.as_string());
    }
    KeyEntry entry{pepper.sign(*key), kNever, compiled.principal, std::make_shared<KeyUse>()};
    compiled.keys.push_back(
        {std::string(reference.as_string()), std::string(*id), std::move(entry)});
  }
  return {};
}

Result<std::shared_ptr<const CompiledClient>> compile_client(
    const estate::Resource& client, const std::vector<const estate::Resource*>& roles,
    const std::vector<const estate::Resource*>& rules, const estate::SecretSource& secrets,
    const crypto::HmacKey& pepper) {
  auto compiled = std::make_shared<CompiledClient>();
  std::vector<Grant> grants;
  add_grants(client, grants);
  for (const auto* role : roles) add_grants(*role, grants);
  std::vector<Grant> ruled;
  for (const auto* rule : rules) {
    const auto& spec = rule->spec();
    const auto effect = text_of(spec, "effect") == "deny" ? Effect::Deny : Effect::Allow;
    ruled.push_back(
        {text_of(spec, "action"), text_of(spec, "resource"), rule->id().text(), effect});
  }
  add_grants_of_name(client.name(), ruled, grants);
  std::ranges::move(ruled, std::back_inserter(grants));
  compiled->principal = std::make_shared<const Principal>(
      make_principal(PrincipalType::Client, client.name(), client.tenant(), std::move(grants)));
  if (const auto* list = client.spec().find("certificates")) {
    for (const auto& each : list->elements()) {
      compiled->certificates.push_back(certificate_name(each.as_string()));
    }
  }
  CHECK(declare_keys(client, secrets, pepper, *compiled));
  return compiled;
}

// Two clients with one certificate would be one of them by chance.
Result<> add_certificates(const estate::Resource& client, const CompiledClient& compiled,
                          ClientSnapshot& snapshot) {
  for (const auto& name : compiled.certificates) {
    const auto [known, is_new] = snapshot.certificates.emplace(name, compiled.principal);
    if (is_new) continue;
    return fail(ErrorCode::AlreadyExists, "{}: the certificate {} is that of {}",
                client.id().text(), name, known->second->id);
  }
  return {};
}

Result<> add_keys(const estate::Resource& client, const CompiledClient& compiled, KeyTable& keys) {
  for (const auto& key : compiled.keys) {
    if (keys.emplace(key.id, key.entry).second) continue;
    return fail(ErrorCode::AlreadyExists, "{}: the key of {} is declared twice", client.id().text(),
                key.reference);
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const ClientSnapshot>> compile_clients(const estate::EstateView& view,
                                                              const estate::SecretSource& secrets,
                                                              const crypto::HmacKey& pepper,
                                                              ClientCache& cache) {
  auto snapshot = std::make_shared<ClientSnapshot>();
  std::map<std::string, std::shared_ptr<const CompiledClient>> kept;
  const auto all_rules = rules_by_client(view);
  for (const auto& client : view.of_kind("Client")) {
    auto roles = roles_of(*client, view);
    auto rules = rules_of(*client, all_rules);
    auto content = client->hash();
    for (const auto* role : roles) content += role->hash();
    for (const auto* rule : rules) content += rule->hash();
    auto& compiled = kept[content];
    if (auto known = cache.clients.find(content); known != cache.clients.end()) {
      compiled = known->second;
    } else {
      cache.compilations.fetch_add(1);
      TRY(compiled, compile_client(*client, roles, rules, secrets, pepper));
    }
    CHECK(add_keys(*client, *compiled, snapshot->declared_keys));
    CHECK(add_certificates(*client, *compiled, *snapshot));
    snapshot->principals.emplace(ClientName{client->tenant(), client->name()}, compiled->principal);
  }
  cache.clients = std::move(kept);
  return snapshot;
}

std::string certificate_name(std::string_view declared) {
  std::string name;
  const bool is_subject = !declared.starts_with("dns:") && !declared.starts_with("uri:") &&
                          !declared.starts_with("email:");
  for (char c : declared) {
    const bool is_after_comma = !name.empty() && name.back() == ',' && !name.ends_with("\\,");
    if (is_subject && c == ' ' && is_after_comma) continue;
    name += c;
  }
  return name;
}

KeyTable key_table(const ClientSnapshot& clients, const std::map<std::string, StoredKey>& stored) {
  auto table = clients.declared_keys;
  for (const auto& [id, key] : stored) {
    auto principal = clients.principals.find(key.client);
    if (principal == clients.principals.end()) continue;
    table.emplace(id, KeyEntry{key.hash, key.expires_at, principal->second, key.use});
  }
  return table;
}

}  // namespace weft::identity
