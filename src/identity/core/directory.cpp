#include "identity/core/directory.h"

#include "identity/core/api_key.h"

namespace weft::identity {

namespace {

std::string text_of(const Json& object, std::string_view member) {
  const auto* value = object.find(member);
  return value == nullptr ? "" : std::string(value->as_string());
}

void add_grants(const estate::Resource& resource, std::vector<Grant>& grants) {
  const auto* list = resource.spec().find("grants");
  if (list == nullptr) return;
  for (const auto& grant : list->elements()) {
    grants.push_back({text_of(grant, "action"), text_of(grant, "resource"), resource.id().text()});
  }
}

PrincipalRef principal_of(const estate::Resource& client, const estate::EstateView& view) {
  std::vector<Grant> grants;
  add_grants(client, grants);
  if (const auto* roles = client.spec().find("roles")) {
    for (const auto& role : roles->elements()) {
      // Checked as a reference before anything is compiled.
      const auto* found = view.find(client.tenant(), "Role", role.as_string());
      if (found != nullptr) add_grants(*found, grants);
    }
  }
  return std::make_shared<const Principal>(
      make_principal(PrincipalType::Client, client.name(), client.tenant(), std::move(grants)));
}

Result<> declare_keys(const estate::Resource& client, const PrincipalRef& principal,
                      const estate::SecretSource& secrets, const crypto::HmacKey& pepper,
                      KeyTable& keys) {
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
    KeyEntry entry{pepper.sign(*key), kNever, principal, std::make_shared<KeyUse>()};
    if (!keys.emplace(std::string(*id), std::move(entry)).second) {
      return fail(ErrorCode::AlreadyExists, "{}: the key of {} is declared twice",
                  client.id().text(), reference.as_string());
    }
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const ClientSnapshot>> compile_clients(const estate::EstateView& view,
                                                              const estate::SecretSource& secrets,
                                                              const crypto::HmacKey& pepper) {
  auto snapshot = std::make_shared<ClientSnapshot>();
  for (const auto& client : view.of_kind("Client")) {
    auto principal = principal_of(*client, view);
    CHECK(declare_keys(*client, principal, secrets, pepper, snapshot->declared_keys));
    snapshot->principals.emplace(ClientName{client->tenant(), client->name()},
                                 std::move(principal));
  }
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
