// What the one writer of a back end does over its connection, whatever that talks to: a unit's
// statements, a schema's migrations. Inside of a transaction that the caller begins and ends. Each
// call blocks; a failure leaves the transaction to be rolled back.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "storage/core/migration_plan.h"
#include "storage/database.h"

namespace weft::storage {

inline constexpr std::size_t kMigrationsMax = 1'000'000;

template <class Connection>
Result<UnitResult> run_statements(Connection& writer, const Unit& unit) {
  UnitResult result;
  for (const auto& statement : unit.statements()) {
    TRY(auto rows, writer.execute(statement.sql, statement.parameters));
    if (statement.affects && *statement.affects != rows) {
      return fail(ErrorCode::Conflict, statement.otherwise);
    }
    result.affected.push_back(rows);
  }
  return result;
}

template <class Connection>
Result<std::vector<AppliedMigration>> applied_migrations(Connection& writer) {
  TRY(auto rows,
      writer.query("SELECT module, version, checksum FROM weft_migration", {}, kMigrationsMax));
  std::vector<AppliedMigration> applied;
  for (const auto& row : rows) {
    applied.push_back({row.text(0), static_cast<int>(row.integer(1)), row.text(2)});
  }
  return applied;
}

// A schema's text in the words of a back end.
using SchemaWords = std::string (*)(std::string_view sql);

template <class Connection>
Result<> apply_migrations(Connection& writer, std::vector<Migration> ours, WallTime now,
                          SchemaWords in_its_words) {
  CHECK(writer.run_script(in_its_words(kMigrationTable)));
  TRY(auto applied, applied_migrations(writer));
  TRY(auto pending, pending_migrations(std::move(ours), applied));
  for (const auto& migration : pending) {
    if (auto done = writer.run_script(in_its_words(migration.sql)); !done) {
      return Failure(std::move(done).error().within(
          fmt::format("migration {} {}", migration.module, migration.version)));
    }
    SqlParameters parameters{migration.module, std::int64_t{migration.version},
                             migration_checksum(migration.sql), to_unix_ms(now)};
    TRY(auto recorded, writer.execute("INSERT INTO weft_migration (module, version, checksum, "
                                      "applied_at) VALUES ($1, $2, $3, $4)",
                                      parameters));
    ENSURE(recorded == 1, "an applied migration is recorded");
  }
  return {};
}

}  // namespace weft::storage
