#include "identity/edge/scram_store.h"

namespace weft::identity {
namespace {

// "shop", or "shop@acme" of another tenant than the default one.
ClientName client_of(std::string_view user) {
  const auto at = user.rfind('@');
  if (at == user.npos) return {std::string(estate::kDefaultTenant), std::string(user)};
  return {std::string(user.substr(at + 1)), std::string(user.substr(0, at))};
}

std::string made_up(const crypto::HmacKey& pepper, std::string_view what, std::string_view user,
                    std::size_t size) {
  std::string bytes;
  for (int turn = 0; bytes.size() < size; ++turn) {
    bytes += pepper.sign(fmt::format("scram\n{}\n{}\n{}", what, turn, user)).text();
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace

ScramStore::Table::Table(Keys of) : keys(std::move(of)) {
  for (const auto& [key, scram] : keys) {
    shapes[std::get<ScramMechanism>(key)].push_back(
        {scram.keys.iterations, scram.keys.salt.size()});
  }
}

bool ScramStore::take(Keys keys, std::uint64_t seen) {
  std::lock_guard lock(mutex_);
  if (changes_ != seen) return false;
  table_.store(std::make_shared<const Table>(std::move(keys)));
  return true;
}

void ScramStore::put(const ScramName& scram_name, std::optional<StoredScram> scram) {
  std::lock_guard lock(mutex_);
  ++changes_;
  auto next = table_.load()->keys;
  next.erase(scram_name);
  if (scram) next.emplace(scram_name, *std::move(scram));
  table_.store(std::make_shared<const Table>(std::move(next)));
}

Task<Result<>> ScramStore::load() {
  for (;;) {
    std::uint64_t seen = 0;
    {
      std::lock_guard lock(mutex_);
      seen = changes_;
    }
    auto query = scram_query();
    CO_TRY(auto rows, co_await database_.query(std::move(query)));
    CO_TRY(auto keys, stored_scram(rows));
    if (take(std::move(keys), seen)) co_return Result<>();
  }
}

Task<Result<>> ScramStore::change(std::string actor, ScramChange change) {
  const ScramName scram_name(change.tenant, change.client, change.mechanism);
  const auto table = table_.load();
  const auto before = table->keys.find(scram_name);
  if (!change.keys && before == table->keys.end()) {
    co_return fail(ErrorCode::NotFound, "Client {} has no password for {}", change.client,
                   name(change.mechanism));
  }
  estate::AuditEvent event{actor, change.tenant, change.keys ? "password.set" : "password.remove",
                           "Client " + change.client};
  if (before != table->keys.end()) event.before = scram_json(change.mechanism, before->second.keys);
  Unit unit;
  std::optional<StoredScram> after;
  if (change.keys) {
    after.emplace();
    after->keys = *std::move(change.keys);
    after->changed_at = from_unix_ms(to_unix_ms(clock_.now()));
    after->changed_by = actor;
    event.after = scram_json(change.mechanism, after->keys);
    put_scram(unit, scram_name, *after);
  } else {
    drop_scram(unit, scram_name);
  }
  std::vector<estate::AuditEvent> events;
  events.push_back(std::move(event));
  CO_CHECK(co_await audit_.commit(std::move(unit), std::move(events)));
  put(scram_name, std::move(after));
  co_return Result<>();
}

std::vector<ScramUser> ScramStore::users(std::string_view tenant) const {
  std::vector<ScramUser> found;
  const auto table = table_.load();
  for (const auto& [key, scram] : table->keys) {
    const auto& [its_tenant, client, mechanism] = key;
    if (its_tenant != tenant) continue;
    found.push_back(
        {its_tenant, client, mechanism, scram.keys.iterations, scram.changed_at, scram.changed_by});
  }
  return found;
}

ScramLogin ScramStore::find(ScramMechanism mechanism, std::string_view user,
                            const ClientSnapshot& clients, const crypto::HmacKey& pepper) const {
  const auto table = table_.load();
  const auto client = client_of(user);
  const auto size = mechanism == ScramMechanism::Sha256 ? std::size_t{32} : std::size_t{64};
  // Made for users that exist, too: both cost the same.
  ScramLogin nobody;
  Table::Shape like;
  const auto shapes = table->shapes.find(mechanism);
  if (shapes != table->shapes.end()) {
    const auto pick = made_up(pepper, "pick", user, 1);
    like = shapes->second[static_cast<unsigned char>(pick[0]) % shapes->second.size()];
  }
  nobody.keys.iterations = like.iterations;
  nobody.keys.salt = made_up(pepper, name(mechanism), user, like.salt_bytes);
  nobody.keys.stored_key = made_up(pepper, "stored", user, size);
  nobody.keys.server_key = made_up(pepper, "server", user, size);

  const auto found = table->keys.find(ScramName(client.first, client.second, mechanism));
  if (found == table->keys.end()) return nobody;
  ScramLogin login;
  login.keys = found->second.keys;
  const auto principal = clients.principals.find(client);
  if (principal != clients.principals.end()) login.principal = principal->second;
  return login;
}

}  // namespace weft::identity
