#include "identity/core/key_sql.h"

#include "base/json_writer.h"

namespace weft::identity {

namespace {

constexpr std::string_view kInfoColumns =
    "id, tenant, client, description, created_at, created_by, expires_at, revoked_at, "
    "last_used_day";

std::optional<WallTime> optional_time(const Row& row, std::size_t column) {
  auto milliseconds = row.optional_integer(column);
  if (!milliseconds) return {};
  return from_unix_ms(*milliseconds);
}

SqlValue nullable_time(std::optional<WallTime> time) {
  return time ? SqlValue(to_unix_ms(*time)) : SqlValue();
}

}  // namespace

std::string key_schema() {
  return "CREATE TABLE identity_pepper (id INTEGER PRIMARY KEY CHECK (id = 1), "
         "fingerprint TEXT NOT NULL) STRICT; "
         "CREATE TABLE identity_api_key (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, "
         "client TEXT NOT NULL, description TEXT NOT NULL, hash BLOB NOT NULL, "
         "created_at INTEGER NOT NULL, created_by TEXT NOT NULL, expires_at INTEGER, "
         "revoked_at INTEGER, last_used_day INTEGER) STRICT; "
         "CREATE INDEX identity_api_key_client ON identity_api_key (tenant, client)";
}

void add_key(Unit& unit, const ApiKeyInfo& key, const crypto::Digest256& hash) {
  unit.add(
      "INSERT INTO identity_api_key "
      "(id, tenant, client, description, hash, created_at, created_by, expires_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
      {key.id, key.tenant, key.client, key.description, SqlBlob{hash.text()},
       to_unix_ms(key.created_at), key.created_by, nullable_time(key.expires_at)});
}

void revoke_key(Unit& unit, const std::string& id, WallTime now) {
  unit.add_guarded(1, "the key was revoked by somebody else",
                   "UPDATE identity_api_key SET revoked_at = $2 WHERE id = $1 "
                   "AND revoked_at IS NULL",
                   {id, to_unix_ms(now)});
}

void set_last_used(Unit& unit, const std::string& id, std::int64_t day) {
  unit.add(
      "UPDATE identity_api_key SET last_used_day = $2 "
      "WHERE id = $1 AND COALESCE(last_used_day, 0) < $2",
      {id, day});
}

Query live_keys_query() {
  return Query(
      "SELECT id, tenant, client, hash, expires_at FROM identity_api_key "
      "WHERE revoked_at IS NULL");
}

Result<std::map<std::string, StoredKey>> stored_keys(const Rows& rows) {
  std::map<std::string, StoredKey> keys;
  for (const auto& row : rows) {
    StoredKey key;
    const auto& hash = row.blob(3);
    if (hash.size() != key.hash.bytes.size()) {
      return fail(ErrorCode::DataLoss, "API key {} has a damaged hash", row.text(0));
    }
    std::ranges::copy(hash, key.hash.bytes.begin());
    key.client = {row.text(1), row.text(2)};
    key.expires_at = row.optional_integer(4).value_or(kNever);
    key.use = std::make_shared<KeyUse>();
    keys.emplace(row.text(0), std::move(key));
  }
  return keys;
}

Query list_query(const std::string& tenant, const std::string& client) {
  SqlParameters parameters{tenant};
  if (!client.empty()) parameters.emplace_back(client);
  return Query(fmt::format("SELECT {} FROM identity_api_key WHERE tenant = $1{} "
                           "ORDER BY created_at DESC, id",
                           kInfoColumns, client.empty() ? "" : " AND client = $2"),
               std::move(parameters));
}

Query find_query(const std::string& tenant, const std::string& id) {
  auto sql =
      fmt::format("SELECT {} FROM identity_api_key WHERE tenant = $1 AND id = $2", kInfoColumns);
  return Query(std::move(sql), {tenant, id});
}

ApiKeyInfo key_info(const Row& row) {
  ApiKeyInfo info;
  info.id = row.text(0);
  info.tenant = row.text(1);
  info.client = row.text(2);
  info.description = row.text(3);
  info.created_at = from_unix_ms(row.integer(4));
  info.created_by = row.text(5);
  info.expires_at = optional_time(row, 6);
  info.revoked_at = optional_time(row, 7);
  if (auto day = row.optional_integer(8)) {
    info.last_used = std::chrono::sys_days(std::chrono::days(*day));
  }
  return info;
}

std::string key_json(const ApiKeyInfo& key) {
  JsonWriter out;
  out.object().member("id", key.id).member("client", key.client);
  out.member("description", key.description);
  if (key.expires_at) out.member("expiresAt", to_rfc3339(*key.expires_at));
  if (key.revoked_at) out.member("revokedAt", to_rfc3339(*key.revoked_at));
  out.end();
  return std::move(out).text();
}

}  // namespace weft::identity
