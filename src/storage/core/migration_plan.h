// Which migrations a database still needs, or why it must not be touched. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/database.h"

namespace weft::storage {

struct AppliedMigration {
  std::string module;
  int version = 0;
  std::string checksum;
};

// 16 hex digits. Guards against mistakes, not against malice.
std::string migration_checksum(std::string_view sql);

// The steps of `ours` that are not applied, in the order given, versions of a module ascending.
// FailedPrecondition: the database knows a module or version that we do not (it is newer).
// DataLoss: an applied step's text was another. InvalidArgument: holes in our versions (our bug).
Result<std::vector<Migration>> pending_migrations(std::vector<Migration> ours,
                                                  const std::vector<AppliedMigration>& applied);

// What every back end creates first; the rest of the schema comes from modules.
inline constexpr std::string_view kMigrationTable =
    "CREATE TABLE IF NOT EXISTS weft_migration ("
    "module TEXT NOT NULL, version INTEGER NOT NULL, checksum TEXT NOT NULL, "
    "applied_at INTEGER NOT NULL, PRIMARY KEY (module, version)) STRICT";

}  // namespace weft::storage
