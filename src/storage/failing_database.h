// For tests: a database that passes everything on to another until it is told to fail.
#pragma once

#include <atomic>
#include <utility>
#include <vector>

#include "storage/database.h"

namespace weft {

class FailingDatabase final : public Database {
 public:
  explicit FailingDatabase(Database& database) : database_(database) {}

  std::atomic<bool> fails_units{false};       // refused before they reach the database
  std::atomic<bool> breaks_unit_ends{false};  // carried out up to a last statement that fails
  std::atomic<bool> is_away{false};           // everything is Unavailable
  std::atomic<int> calls_until_away{-1};      // then it is away; negative: never

  Task<Result<>> migrate(std::vector<Migration> migrations, WallTime now) override {
    return database_.migrate(std::move(migrations), now);
  }

  Task<Result<UnitResult>> execute(Unit unit) override {
    if (goes_away()) co_return fail(ErrorCode::Unavailable, "the database is away");
    if (fails_units) co_return fail(ErrorCode::IoError, "the database's disk failed");
    if (breaks_unit_ends)
      unit.add_guarded(1, "broken at its end", "DELETE FROM weft_migration WHERE version = 0");
    co_return co_await database_.execute(std::move(unit));
  }

  Task<Result<std::vector<Rows>>> snapshot(std::vector<Query> queries) override {
    if (goes_away()) co_return fail(ErrorCode::Unavailable, "the database is away");
    co_return co_await database_.snapshot(std::move(queries));
  }

 private:
  bool goes_away() {
    if (calls_until_away >= 0 && calls_until_away-- == 0) is_away = true;
    return is_away;
  }

  Database& database_;
};

}  // namespace weft
