// The table of SCRAM keys: what is written and how it is read. Pure: text and values only. Layout:
// docs/formats/state-database.md.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "base/result.h"
#include "identity/identity.h"
#include "storage/database.h"

namespace weft::identity {

using ScramName = std::tuple<std::string, std::string, ScramMechanism>;  // tenant, client

struct StoredScram {
  ScramKeys keys;
  WallTime changed_at;
  std::string changed_by;
};

std::string scram_schema();

// Those that were there are replaced.
void put_scram(Unit& unit, const ScramName& name, const StoredScram& scram);
// Conflict when there are none.
void drop_scram(Unit& unit, const ScramName& name);

Query scram_query();
Result<std::map<ScramName, StoredScram>> stored_scram(const Rows& rows);

// For the audit trail; without salt and keys.
std::string scram_json(ScramMechanism mechanism, const ScramKeys& keys);

}  // namespace weft::identity
