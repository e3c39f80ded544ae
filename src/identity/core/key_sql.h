// The table of API keys: what is written and how it is read. Pure: text and values only. Layout:
// docs/formats/state-database.md.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "identity/core/directory.h"
#include "identity/identity.h"
#include "storage/database.h"

namespace weft::identity {

std::string key_schema();

void add_key(Unit& unit, const ApiKeyInfo& key, const crypto::Digest256& hash);
void revoke_key(Unit& unit, const std::string& id, WallTime now);
void set_last_used(Unit& unit, const std::string& id, std::int64_t day);

Query live_keys_query();
Result<std::map<std::string, StoredKey>> stored_keys(const Rows& rows);

Query list_query(const std::string& tenant, const std::string& client);
Query find_query(const std::string& tenant, const std::string& id);
ApiKeyInfo key_info(const Row& row);

// For the audit trail; without the hash.
std::string key_json(const ApiKeyInfo& key);

}  // namespace weft::identity
