#include "identity/core/directory.h"

#include "base/json_members.h"
#include "identity/core/api_key.h"

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
    const estate::SecretSource& secrets, const crypto::HmacKey& pepper) {
  auto compiled = std::make_shared<CompiledClient>();
  std::vector<Grant> grants;
  add_grants(client, grants);
  for (const auto* role : roles) add_grants(*role, grants);
  compiled->principal = std::make_shared<const Principal>(
      make_principal(PrincipalType::Client, client.name(), client.tenant(), std::move(grants)));
  CHECK(declare_keys(client, secrets, pepper, *compiled));
  return compiled;
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
  for (const auto& client : view.of_kind("Client")) {
    auto roles = roles_of(*client, view);
    auto content = client->hash();
    for (const auto* role : roles) content += role->hash();
    auto& compiled = kept[content];
    if (auto known = cache.clients.find(content); known != cache.clients.end()) {
      compiled = known->second;
    } else {
      cache.compilations.fetch_add(1);
      TRY(compiled, compile_client(*client, roles, secrets, pepper));
    }
    CHECK(add_keys(*client, *compiled, snapshot->declared_keys));
    snapshot->principals.emplace(ClientName{client->tenant(), client->name()}, compiled->principal);
  }
  cache.clients = std::move(kept);
  return snapshot;
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
