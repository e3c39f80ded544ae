// The `state.*` settings as a database.
#pragma once

#include <memory>

#include "app/settings/settings.h"
#include "runtime/clock.h"
#include "runtime/disk.h"
#include "runtime/metrics.h"
#include "storage/database.h"

namespace weft::app {

enum class StateBackend : unsigned char { Sqlite, Postgres };

// InvalidArgument names the setting that is wrong.
Result<StateBackend> state_backend(const Settings& settings);

// SQLite's file is in the folder; a PostgreSQL server is connected when it is first used.
Task<Result<std::unique_ptr<Database>>> open_database(const Settings& settings, FileSystem& files,
                                                      Clock& clock, Metrics& metrics);

// Puts `key` (the setting identity.key; empty: nothing) into the data folder of a node that has
// none yet. InvalidArgument when it is no key, FailedPrecondition when the folder has another: keys
// that were made with that one would no longer be known. The messages do not repeat it.
Task<Result<>> place_identity_key(FileSystem& files, std::string folder, std::string key);

}  // namespace weft::app
