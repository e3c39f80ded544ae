#include "app/api/client_routes.h"

#include <algorithm>
#include <limits>
#include <map>

#include "base/json_members.h"
#include "crypto/key.h"
#include "identity/decisions.h"

namespace weft::app {
namespace {

using identity::action::kAdminKeys;
using identity::action::kAdminRead;

// The first characters of a key: its public id.
std::string prefix_of(const identity::ApiKeyInfo& key) {
  return "weft_" + key.id;
}

void write_key(JsonWriter& out, const identity::ApiKeyInfo& key) {
  out.member("id", key.id)
      .member("prefix", prefix_of(key))
      .member("createdAt", to_rfc3339(key.created_at));
  if (key.expires_at) out.member("expiresAt", to_rfc3339(*key.expires_at));
  if (key.last_used) out.member("lastUsedAt", to_rfc3339(WallTime(*key.last_used)));
  if (!key.description.empty()) out.member("note", key.description);
}

void write_client(JsonWriter& out, const estate::Resource& client,
                  const std::vector<identity::ApiKeyInfo>& keys,
                  const std::vector<identity::ScramUser>& users) {
  out.object()
      .member("name", client.name())
      .member("tenant", client.tenant())
      .member("owner", client.owner());
  out.key("grants").array();
  if (const auto* grants = client.spec().find("grants"); grants != nullptr) {
    for (const auto& grant : grants->elements()) {
      const auto* action = grant.find("action");
      const auto* resource = grant.find("resource");
      if (action == nullptr || resource == nullptr) continue;
      out.value(fmt::format("{} {}", action->as_string(), resource->as_string()));
    }
  }
  out.end().key("keys").array();
  for (const auto& key : keys) {
    if (key.client != client.name() || key.revoked_at) continue;
    out.object();
    write_key(out, key);
    out.end();
  }
  out.end().key("passwords").array();
  for (const auto& user : users) {
    if (user.client != client.name()) continue;
    out.object()
        .member("mechanism", identity::name(user.mechanism))
        .member("iterations", user.iterations)
        .member("changedAt", to_rfc3339(user.changed_at))
        .end();
  }
  out.end();
  const auto* declared = client.spec().find("apiKeys");
  out.member("declaredKeys", declared != nullptr ? declared->elements().size() : 0).end();
}

Task<Result<http::Response>> list_clients(ClientRoutesParts& parts, ApiCall& call) {
  CO_TRY(auto limit, call.limit());
  CO_TRY(auto after, read_cursor(call));
  CO_TRY(auto keys, co_await parts.identity.list_api_keys(std::string(call.tenant())));
  const auto users = parts.identity.scram_users(call.tenant());
  auto view = parts.estate.current();
  JsonWriter out;
  out.object().key("items").array();
  std::size_t shown = 0;
  std::string last;
  bool more = false;
  for (const auto& client : view->of_kind(call.tenant(), "Client")) {
    if (client->name() <= after) continue;
    if (shown == limit) {
      more = true;
      break;
    }
    write_client(out, *client, keys, users);
    last = client->name();
    ++shown;
  }
  out.end();
  if (more) out.member("nextCursor", make_cursor(last));
  out.end();
  co_return json_answer(std::move(out));
}

Task<Result<http::Response>> create_key(ClientRoutesParts& parts, ApiCall& call) {
  identity::ApiKeyRequest request(std::string(call.tenant()), call.captures[0]);
  if (!call.body.empty()) {
    CO_TRY(auto body, JsonDocument::parse(std::string(call.body)));
    if (const auto* note = body.root().find("note"); note != nullptr)
      request.description = note->as_string();
    if (const auto* expires = body.root().find("expiresAt"); expires != nullptr) {
      CO_TRY(request.expires_at, parse_rfc3339(expires->as_string()));
    }
  }
  CO_TRY(auto made, co_await parts.identity.create_api_key(call.principal->id, std::move(request)));
  JsonWriter out;
  out.object().member("key", made.key);
  write_key(out, made.info);
  out.end();
  auto response = json_answer(std::move(out), 201);
  response.add("Cache-Control", "no-store");
  co_return response;
}

Task<Result<http::Response>> delete_key(ClientRoutesParts& parts, ApiCall& call) {
  CO_CHECK(co_await parts.identity.revoke_api_key(call.principal->id, std::string(call.tenant()),
                                                  call.captures[1]));
  http::Response response;
  response.status = 204;
  co_return response;
}

Result<identity::ScramMechanism> mechanism_of(std::string_view name) {
  if (const auto mechanism = identity::scram_mechanism(name)) return *mechanism;
  return fail(ErrorCode::NotFound, "the mechanisms are SCRAM-SHA-256 and SCRAM-SHA-512, not {}",
              name);
}

Task<Result<http::Response>> put_password(ClientRoutesParts& parts, ApiCall& call) {
  CO_TRY(const auto mechanism, mechanism_of(call.captures[1]));
  CO_TRY(const auto body, JsonDocument::parse(std::string(call.body)));
  const auto iterations = static_cast<std::int32_t>(std::clamp<std::int64_t>(
      member_integer(body.root(), "iterations").value_or(identity::kScramIterationsDefault), 0,
      std::numeric_limits<std::int32_t>::max()));
  auto password = text_of(body.root(), "password");
  CO_CHECK(identity::check_scram_password(password));
  CO_CHECK(identity::check_scram_iterations(iterations));
  auto salt = parts.random.bytes(identity::kScramSaltBytes);
  // A million iterations take half a second, which no loop may wait for.
  std::function<Result<identity::ScramKeys>()> derive =
      [mechanism, iterations, kept = std::move(password),
       salt = std::move(salt)]() mutable -> Result<identity::ScramKeys> {
    auto keys = identity::scram_keys(mechanism, kept, std::move(salt), iterations);
    crypto::wipe(kept.data(), kept.size());
    return keys;
  };
  CO_TRY(auto keys, co_await parts.pool.run<identity::ScramKeys>(std::move(derive)));
  identity::ScramChange change(std::string(call.tenant()), call.captures[0], mechanism,
                               std::move(keys));
  CO_CHECK(co_await parts.identity.change_scram(call.principal->id, std::move(change)));
  http::Response response;
  response.status = 204;
  co_return response;
}

Task<Result<http::Response>> delete_password(ClientRoutesParts& parts, ApiCall& call) {
  CO_TRY(const auto mechanism, mechanism_of(call.captures[1]));
  identity::ScramChange change(std::string(call.tenant()), call.captures[0], mechanism);
  CO_CHECK(co_await parts.identity.change_scram(call.principal->id, std::move(change)));
  http::Response response;
  response.status = 204;
  co_return response;
}

}  // namespace

std::vector<ApiRoute> client_routes(ClientRoutesParts& parts) {
  auto with = [&parts](Task<Result<http::Response>> (*handler)(ClientRoutesParts&,
                                                               ApiCall&)) -> ApiHandler {
    return [&parts, handler](ApiCall& call) { return handler(parts, call); };
  };
  return {
      {"GET", "/clients", "listClients", kAdminRead, with(list_clients)},
      {"POST", "/clients/{client}/keys", "createClientKey", kAdminKeys, with(create_key)},
      {"DELETE", "/clients/{client}/keys/{keyId}", "deleteClientKey", kAdminKeys, with(delete_key)},
      {"PUT", "/clients/{client}/passwords/{mechanism}", "putClientPassword", kAdminKeys,
       with(put_password)},
      {"DELETE", "/clients/{client}/passwords/{mechanism}", "deleteClientPassword", kAdminKeys,
       with(delete_password)}};
}

}  // namespace weft::app
