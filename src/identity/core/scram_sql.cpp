#include "identity/core/scram_sql.h"

#include "base/json_writer.h"

namespace weft::identity {

std::string scram_schema() {
  return "CREATE TABLE identity_scram (tenant TEXT NOT NULL, client TEXT NOT NULL, "
         "mechanism TEXT NOT NULL, salt BLOB NOT NULL, iterations INTEGER NOT NULL, "
         "stored_key BLOB NOT NULL, server_key BLOB NOT NULL, changed_at INTEGER NOT NULL, "
         "changed_by TEXT NOT NULL, PRIMARY KEY (tenant, client, mechanism)) STRICT";
}

void put_scram(Unit& unit, const ScramName& scram_name, const StoredScram& scram) {
  const auto& [tenant, client, mechanism] = scram_name;
  unit.add("DELETE FROM identity_scram WHERE tenant = $1 AND client = $2 AND mechanism = $3",
           {tenant, client, std::string(name(mechanism))});
  unit.add(
      "INSERT INTO identity_scram (tenant, client, mechanism, salt, iterations, stored_key, "
      "server_key, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
      {tenant, client, std::string(name(mechanism)), SqlBlob{scram.keys.salt},
       std::int64_t{scram.keys.iterations}, SqlBlob{scram.keys.stored_key},
       SqlBlob{scram.keys.server_key}, to_unix_ms(scram.changed_at), scram.changed_by});
}

void drop_scram(Unit& unit, const ScramName& scram_name) {
  const auto& [tenant, client, mechanism] = scram_name;
  unit.add_guarded(
      1, "the password was taken away by somebody else",
      "DELETE FROM identity_scram WHERE tenant = $1 AND client = $2 AND mechanism = $3",
      {tenant, client, std::string(name(mechanism))});
}

Query scram_query() {
  return Query(
      "SELECT tenant, client, mechanism, salt, iterations, stored_key, server_key, changed_at, "
      "changed_by FROM identity_scram");
}

Result<std::map<ScramName, StoredScram>> stored_scram(const Rows& rows) {
  std::map<ScramName, StoredScram> all;
  for (const auto& row : rows) {
    const auto mechanism = scram_mechanism(row.text(2));
    if (!mechanism) {
      return fail(ErrorCode::DataLoss, "Client {} has a password of mechanism '{}'", row.text(1),
                  row.text(2));
    }
    StoredScram scram;
    scram.keys.salt = row.blob(3);
    scram.keys.iterations = static_cast<std::int32_t>(row.integer(4));
    scram.keys.stored_key = row.blob(5);
    scram.keys.server_key = row.blob(6);
    scram.changed_at = from_unix_ms(row.integer(7));
    scram.changed_by = row.text(8);
    all.emplace(ScramName(row.text(0), row.text(1), *mechanism), std::move(scram));
  }
  return all;
}

std::string scram_json(ScramMechanism mechanism, const ScramKeys& keys) {
  JsonWriter out;
  out.object().member("mechanism", name(mechanism)).member("iterations", keys.iterations).end();
  return std::move(out).text();
}

}  // namespace weft::identity
