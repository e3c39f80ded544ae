// The conformance kit of the state database: what every back end must do, as typed GoogleTest
// cases. check: table
//
// A back end's test defines a world and runs the kit over it:
//
//   struct MyWorld {
//     Database& database();   // an empty one
//     void reopen();          // closes it and opens the same data again
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(MyBackEnd, DatabaseConformance, MyWorld);
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "runtime/run_until_done.h"
#include "runtime/task_group.h"
#include "storage/database.h"
#include "storage/lease.h"

namespace weft::storage {

inline constexpr std::string_view kAccounts =
    "CREATE TABLE account (name TEXT PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0), "
    "version INTEGER NOT NULL) STRICT; "
    "CREATE TABLE entry (account TEXT NOT NULL REFERENCES account (name), note TEXT) STRICT";

inline std::vector<Migration> account_schema() {
  return {{"bank", 1, std::string(kAccounts)}};
}

inline Unit open_account(std::string account, std::int64_t balance) {
  Unit unit;
  unit.add("INSERT INTO account (name, balance, version) VALUES ($1, $2, 1)",
           SqlParameters{std::move(account), balance});
  return unit;
}

// Takes `amount` from an account that is expected at a version.
inline Unit withdraw(std::string account, std::int64_t amount, std::int64_t version) {
  Unit unit;
  unit.add_guarded(1, "the account has changed",
                   "UPDATE account SET balance = balance - $2, version = version + 1 "
                   "WHERE name = $1 AND version = $3",
                   SqlParameters{std::move(account), amount, version});
  return unit;
}

template <class World>
class DatabaseConformance : public testing::Test {
 protected:
  Database& database() { return world_.database(); }

  Result<> migrate(std::vector<Migration> migrations) {
    return run_until_done(database().migrate(std::move(migrations), from_unix_ms(1000)));
  }
  Result<UnitResult> execute(Unit unit) {
    return run_until_done(database().execute(std::move(unit)));
  }
  Result<UnitResult> execute(std::string sql, SqlParameters parameters = {}) {
    Unit unit;
    unit.add(std::move(sql), std::move(parameters));
    return execute(std::move(unit));
  }
  Result<Rows> query(std::string sql, SqlParameters parameters = {}) {
    Query asked(std::move(sql), std::move(parameters));
    return run_until_done(database().query(std::move(asked)));
  }
  std::int64_t number(std::string sql, SqlParameters parameters = {}) {
    auto rows = query(std::move(sql), std::move(parameters));
    EXPECT_TRUE(rows) << rows.error().message;
    return rows ? rows->at(0).integer(0) : -1;
  }
  std::int64_t balance(const std::string& account) {
    return number("SELECT balance FROM account WHERE name = $1", {account});
  }

  World world_;
};

template <class T>
ErrorCode code_of(const Result<T>& result) {
  return result ? ErrorCode::Internal : result.error().code;
}

inline Task<void> execute_into(Database& database, Unit unit, Result<UnitResult>& outcome) {
  outcome = co_await database.execute(std::move(unit));
}

inline Task<void> execute_all(Database& database, std::vector<Unit> units,
                              std::vector<Result<UnitResult>>& outcomes) {
  auto loop = co_await boost::asio::this_coro::executor;
  TaskGroup group(loop, "units", units.size());
  outcomes.assign(units.size(), fail(ErrorCode::Internal, "not run"));
  for (std::size_t i = 0; i < units.size(); ++i) {
    group.spawn(execute_into(database, std::move(units[i]), outcomes[i]));
  }
  co_await group.join();
}

TYPED_TEST_SUITE_P(DatabaseConformance);

TYPED_TEST_P(DatabaseConformance, ReportsHowManyRowsEachStatementTouched) {
  ASSERT_TRUE(this->migrate(account_schema()));
  Unit unit = open_account("ann", 1);
  unit.append(open_account("bob", 2));
  unit.add("UPDATE account SET balance = 9");
  unit.add("DELETE FROM account WHERE name = $1", {"nobody"});

  auto result = this->execute(std::move(unit));

  ASSERT_TRUE(result) << result.error().message;
  EXPECT_THAT(result->affected, testing::ElementsAre(1, 1, 2, 0));
}

TYPED_TEST_P(DatabaseConformance, DoesAUnitWholeOrNotAtAll) {
  ASSERT_TRUE(this->migrate(account_schema()));
  ASSERT_TRUE(this->execute(open_account("ann", 100)));
  Unit unit = withdraw("ann", 60, 1);
  unit.append(withdraw("ann", 60, 2));

  auto result = this->execute(std::move(unit));

  EXPECT_EQ(code_of(result), ErrorCode::FailedPrecondition);
  EXPECT_EQ(this->balance("ann"), 100);
}

TYPED_TEST_P(DatabaseConformance, RefusesAnUpdateOfAnotherVersionAsAConflict) {
  ASSERT_TRUE(this->migrate(account_schema()));
  ASSERT_TRUE(this->execute(open_account("ann", 100)));
  ASSERT_TRUE(this->execute(withdraw("ann", 10, 1)));

  auto result = this->execute(withdraw("ann", 10, 1));

  ASSERT_EQ(code_of(result), ErrorCode::Conflict);
  EXPECT_EQ(result.error().message, "the account has changed");
  EXPECT_EQ(this->balance("ann"), 90);
}

TYPED_TEST_P(DatabaseConformance, TellsATakenKeyFromAnotherBrokenRule) {
  ASSERT_TRUE(this->migrate(account_schema()));
  ASSERT_TRUE(this->execute(open_account("ann", 100)));

  EXPECT_EQ(code_of(this->execute(open_account("ann", 5))), ErrorCode::AlreadyExists);
  EXPECT_EQ(code_of(this->execute(open_account("bob", -5))), ErrorCode::FailedPrecondition);
  EXPECT_EQ(code_of(this->execute("INSERT INTO entry (account) VALUES ($1)", {"nobody"})),
            ErrorCode::FailedPrecondition);
}

TYPED_TEST_P(DatabaseConformance, GivesValuesBackAsTheyWere) {
  ASSERT_TRUE(
      this->migrate({{"values", 1,
                      "CREATE TABLE held (id INTEGER PRIMARY KEY, number INTEGER, real REAL, "
                      "words TEXT, bytes BLOB) STRICT"}}));
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  std::vector<SqlParameters> cases = {
      {std::int64_t{1}, std::numeric_limits<std::int64_t>::max(), 0.1, "žluťoučký \"kůň\" 🐎",
       SqlBlob{every_byte}},
      {std::int64_t{2}, std::numeric_limits<std::int64_t>::min(), -1e300, "", SqlBlob{}},
      {std::int64_t{3}, SqlValue(), SqlValue(), SqlValue(), SqlValue()}};
  for (const auto& values : cases) {
    ASSERT_TRUE(this->execute("INSERT INTO held VALUES ($1, $2, $3, $4, $5)", values));
  }

  auto rows = this->query("SELECT id, number, real, words, bytes FROM held ORDER BY id");

  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    for (std::size_t column = 0; column < cases[i].size(); ++column) {
      EXPECT_TRUE((*rows)[i][column] == cases[i][column]) << "row " << i << " column " << column;
    }
  }
}

TYPED_TEST_P(DatabaseConformance, SortsTextByItsBytesAndNullsAsAsked) {
  ASSERT_TRUE(this->migrate(
      {{"words", 1, "CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT) STRICT"}}));
  for (const char* word : {"b", "é", "B", "a", "_"}) {
    ASSERT_TRUE(this->execute(
        "INSERT INTO word (text, id) VALUES ($1, (SELECT COUNT(*) FROM word))", {word}));
  }
  ASSERT_TRUE(this->execute("INSERT INTO word (id, text) VALUES (100, $1)", {SqlValue()}));

  auto rows = this->query("SELECT COALESCE(text, 'null') FROM word ORDER BY text NULLS LAST");

  ASSERT_TRUE(rows) << rows.error().message;
  std::vector<std::string> words;
  for (const auto& row : *rows) words.push_back(row.text(0));
  EXPECT_THAT(words, testing::ElementsAre("B", "_", "a", "b", "é", "null"));
}

TYPED_TEST_P(DatabaseConformance, TakesParametersByNumberInAnyOrderAndMoreThanOnce) {
  ASSERT_TRUE(this->migrate(account_schema()));
  ASSERT_TRUE(this->execute("INSERT INTO account (version, balance, name) VALUES ($2, $2, $1)",
                            {"ann", std::int64_t{7}}));

  EXPECT_EQ(this->number("SELECT COUNT(*) FROM account WHERE balance = $2 AND name = $1 "
                         "AND version = $2",
                         {"ann", std::int64_t{7}}),
            1);
}

TYPED_TEST_P(DatabaseConformance, RefusesStatementsThatAreOurBug) {
  ASSERT_TRUE(this->migrate(account_schema()));

  EXPECT_EQ(code_of(this->execute("INSRT INTO account")), ErrorCode::InvalidArgument);
  EXPECT_EQ(code_of(this->query("SELECT $1 FROM account")), ErrorCode::InvalidArgument);
  EXPECT_EQ(code_of(this->query("SELECT name FROM account", {"unused"})),
            ErrorCode::InvalidArgument);
  EXPECT_EQ(code_of(this->query("DELETE FROM account")), ErrorCode::InvalidArgument);
}

TYPED_TEST_P(DatabaseConformance, KeepsNeighboursOfAUnitThatFails) {
  ASSERT_TRUE(this->migrate(account_schema()));
  std::vector<Unit> units;
  for (int i = 0; i < 60; ++i) {
    // Every third is a double that must fail.
    units.push_back(open_account("account " + std::to_string(i % 3 == 2 ? i - 1 : i), i));
  }

  std::vector<Result<UnitResult>> outcomes;
  run_until_done(execute_all(this->database(), std::move(units), outcomes));

  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_EQ(outcomes[i].has_value(), i % 3 != 2) << i;
  }
  EXPECT_EQ(this->number("SELECT COUNT(*) FROM account"), 40);
}

TYPED_TEST_P(DatabaseConformance, LetsOneOfManyRivalsWinAVersion) {
  ASSERT_TRUE(this->migrate(account_schema()));
  ASSERT_TRUE(this->execute(open_account("ann", 100)));
  std::vector<Unit> units(20, withdraw("ann", 5, 1));

  std::vector<Result<UnitResult>> outcomes;
  run_until_done(execute_all(this->database(), std::move(units), outcomes));

  EXPECT_EQ(std::ranges::count_if(outcomes, [](const auto& one) { return one.has_value(); }), 1);
  EXPECT_EQ(this->balance("ann"), 95);
}

inline Task<void> move_money(Database& database, int times, bool& done) {
  for (int i = 0; i < times; ++i) {
    Unit unit;
    unit.add("UPDATE account SET balance = balance - 1 WHERE name = $1", {"ann"});
    unit.add("UPDATE account SET balance = balance + 1 WHERE name = $1", {"bob"});
    auto moved = co_await database.execute(std::move(unit));
    EXPECT_TRUE(moved) << moved.error().message;
  }
  done = true;
}

inline Task<void> watch_sum(Database& database, const bool& done, int& looks) {
  while (!done) {
    std::vector<Query> queries;
    queries.emplace_back("SELECT balance FROM account WHERE name = $1", SqlParameters{"ann"});
    queries.emplace_back("SELECT balance FROM account WHERE name = $1", SqlParameters{"bob"});
    auto results = co_await database.snapshot(std::move(queries));
    EXPECT_TRUE(results) << results.error().message;
    if (!results) co_return;
    EXPECT_EQ((*results)[0].at(0).integer(0) + (*results)[1].at(0).integer(0), 100);
    ++looks;
  }
}

inline Task<void> move_and_watch(Database& database, int& looks) {
  auto loop = co_await boost::asio::this_coro::executor;
  TaskGroup group(loop, "bank", 2);
  bool done = false;
  group.spawn(move_money(database, 50, done));
  group.spawn(watch_sum(database, done, looks));
  co_await group.join();
}

TYPED_TEST_P(DatabaseConformance, ShowsASnapshotOfOneMoment) {
  ASSERT_TRUE(this->migrate(account_schema()));
  ASSERT_TRUE(this->execute(open_account("ann", 100)));
  ASSERT_TRUE(this->execute(open_account("bob", 0)));

  int looks = 0;
  run_until_done(move_and_watch(this->database(), looks));

  EXPECT_GT(looks, 0);
  EXPECT_EQ(this->balance("bob"), 50);
}

inline constexpr int kWriters = 8;
inline constexpr int kWithdrawals = 25;

// Reads the version and withdraws 1 until it was `kWithdrawals` times the first to do so.
inline Task<void> keep_withdrawing(Database& database, int& conflicts) {
  for (int done = 0; done < kWithdrawals;) {
    Query query("SELECT version FROM account WHERE name = $1", SqlParameters{"ann"});
    auto rows = co_await database.query(std::move(query));
    EXPECT_TRUE(rows) << rows.error().message;
    if (!rows) co_return;
    auto version = rows->at(0).integer(0);
    auto taken = co_await database.execute(withdraw("ann", 1, version));
    if (taken) {
      ++done;
      continue;
    }
    EXPECT_EQ(taken.error().code, ErrorCode::Conflict) << taken.error().message;
    if (taken.error().code != ErrorCode::Conflict) co_return;
    ++conflicts;
  }
}

TYPED_TEST_P(DatabaseConformance, LosesNoUpdateOfEightConcurrentWriters) {
  ASSERT_TRUE(this->migrate(account_schema()));
  ASSERT_TRUE(this->execute(open_account("ann", kWriters * kWithdrawals + 7)));

  std::vector<int> conflicts(kWriters);
  std::vector<std::thread> writers;
  for (int& own : conflicts) {
    writers.emplace_back([&] { run_until_done(keep_withdrawing(this->database(), own)); });
  }
  for (auto& writer : writers) writer.join();

  EXPECT_EQ(this->balance("ann"), 7);
  EXPECT_EQ(this->number("SELECT version FROM account WHERE name = 'ann'"),
            1 + kWriters * kWithdrawals);
}

TYPED_TEST_P(DatabaseConformance, RemembersWhatItAnswered) {
  ASSERT_TRUE(this->migrate(account_schema()));
  ASSERT_TRUE(this->execute(open_account("ann", 100)));

  this->world_.reopen();

  EXPECT_EQ(this->balance("ann"), 100);
}

TYPED_TEST_P(DatabaseConformance, MigratesEachStepOnce) {
  auto steps = account_schema();
  ASSERT_TRUE(this->migrate(steps));
  ASSERT_TRUE(this->execute(open_account("ann", 100)));
  steps.push_back({"bank", 2, "ALTER TABLE account ADD COLUMN owner TEXT"});
  steps.push_back({"notes", 1, "CREATE TABLE note (text TEXT) STRICT"});

  ASSERT_TRUE(this->migrate(steps));
  ASSERT_TRUE(this->migrate(steps));

  EXPECT_EQ(this->number("SELECT COUNT(*) FROM account WHERE owner IS NULL"), 1);
  EXPECT_EQ(this->number("SELECT COUNT(*) FROM note"), 0);
  EXPECT_EQ(this->number("SELECT COUNT(*) FROM weft_migration WHERE applied_at = 1000"), 3);
}

TYPED_TEST_P(DatabaseConformance, AppliesAllStepsOfAMigrationOrNone) {
  ASSERT_TRUE(this->migrate(account_schema()));
  auto steps = account_schema();
  steps.push_back({"notes", 1, "CREATE TABLE note (text TEXT) STRICT"});
  steps.push_back({"bank", 2, "ALTER TABLE no_such_table ADD COLUMN owner TEXT"});

  auto migrated = this->migrate(steps);

  ASSERT_FALSE(migrated);
  EXPECT_THAT(migrated.error().message, testing::HasSubstr("migration bank 2"));
  EXPECT_FALSE(this->query("SELECT COUNT(*) FROM note"));
  EXPECT_EQ(this->number("SELECT COUNT(*) FROM weft_migration"), 1);
}

TYPED_TEST_P(DatabaseConformance, RefusesADatabaseOfANewerProgram) {
  auto newer = account_schema();
  newer.push_back({"bank", 2, "ALTER TABLE account ADD COLUMN owner TEXT"});
  ASSERT_TRUE(this->migrate(newer));

  auto migrated = this->migrate(account_schema());

  ASSERT_EQ(code_of(migrated), ErrorCode::FailedPrecondition);
  EXPECT_THAT(migrated.error().message,
              testing::HasSubstr("newer version of Weft: its module bank is at version 2, this "
                                 "program knows 1"));
}

TYPED_TEST_P(DatabaseConformance, RefusesAStepWhoseTextHasChanged) {
  ASSERT_TRUE(this->migrate(account_schema()));
  auto changed = account_schema();
  changed[0].sql += " ";

  EXPECT_EQ(code_of(this->migrate(changed)), ErrorCode::DataLoss);
}

inline constexpr Duration kLeaseTime = std::chrono::seconds(10);

inline WallTime at_second(std::int64_t seconds) {
  return from_unix_ms(seconds * 1000);
}

inline Result<Lease> acquire(Database& database, std::string holder, WallTime now) {
  LeaseRequest request("work", std::move(holder), kLeaseTime);
  return run_until_done(Leases(database).acquire(std::move(request), now));
}

inline std::vector<Migration> lease_schema() {
  auto schema = account_schema();
  schema.push_back(Leases::migration());
  return schema;
}

TYPED_TEST_P(DatabaseConformance, GivesALeaseToOneHolderUntilItExpires) {
  ASSERT_TRUE(this->migrate(lease_schema()));
  auto first = acquire(this->database(), "a", at_second(0));
  ASSERT_TRUE(first) << first.error().message;

  EXPECT_EQ(code_of(acquire(this->database(), "b", at_second(9))), ErrorCode::Conflict);
  auto second = acquire(this->database(), "b", at_second(10));

  ASSERT_TRUE(second) << second.error().message;
  EXPECT_GT(second->token, first->token);
}

TYPED_TEST_P(DatabaseConformance, KeepsALeaseThatIsRenewedAndFreesOneThatIsReleased) {
  ASSERT_TRUE(this->migrate(lease_schema()));
  Leases leases(this->database());
  auto first = acquire(this->database(), "a", at_second(0));

  auto renewed = run_until_done(leases.renew(*first, kLeaseTime, at_second(9)));

  ASSERT_TRUE(renewed) << renewed.error().message;
  EXPECT_EQ(renewed->token, first->token);
  EXPECT_EQ(code_of(acquire(this->database(), "b", at_second(15))), ErrorCode::Conflict);
  ASSERT_TRUE(run_until_done(leases.release(*renewed)));
  EXPECT_TRUE(acquire(this->database(), "b", at_second(15)));
  EXPECT_EQ(code_of(run_until_done(leases.renew(*renewed, kLeaseTime, at_second(15)))),
            ErrorCode::Conflict);
}

TYPED_TEST_P(DatabaseConformance, RefusesTheWriteOfAHolderThatWasPausedBeyondItsLease) {
  ASSERT_TRUE(this->migrate(lease_schema()));
  auto paused = acquire(this->database(), "a", at_second(0));
  auto next = acquire(this->database(), "b", at_second(60));
  ASSERT_TRUE(next) << next.error().message;
  Unit late = open_account("late", 1);
  require_lease(late, *paused);
  Unit timely = open_account("timely", 1);
  require_lease(timely, *next);

  auto refused = this->execute(std::move(late));

  ASSERT_EQ(code_of(refused), ErrorCode::Conflict);
  EXPECT_EQ(refused.error().message, "lease work was lost by a (token 1)");
  EXPECT_TRUE(this->execute(std::move(timely)));
  EXPECT_EQ(this->number("SELECT COUNT(*) FROM account"), 1);
}

TYPED_TEST_P(DatabaseConformance, GivesALeaseToOneOfEightWhoAskAtOnce) {
  ASSERT_TRUE(this->migrate(lease_schema()));

  std::atomic<int> holders = 0;
  std::vector<std::thread> askers;
  for (int i = 0; i < kWriters; ++i) {
    askers.emplace_back([&, i] {
      auto asked = acquire(this->database(), fmt::format("holder {}", i), at_second(0));
      if (asked) ++holders;
      EXPECT_TRUE(asked || asked.error().code == ErrorCode::Conflict);
    });
  }
  for (auto& asker : askers) asker.join();

  EXPECT_EQ(holders, 1);
}

REGISTER_TYPED_TEST_SUITE_P(
    DatabaseConformance, ReportsHowManyRowsEachStatementTouched, DoesAUnitWholeOrNotAtAll,
    RefusesAnUpdateOfAnotherVersionAsAConflict, TellsATakenKeyFromAnotherBrokenRule,
    GivesValuesBackAsTheyWere, SortsTextByItsBytesAndNullsAsAsked,
    TakesParametersByNumberInAnyOrderAndMoreThanOnce, RefusesStatementsThatAreOurBug,
    KeepsNeighboursOfAUnitThatFails, LetsOneOfManyRivalsWinAVersion, ShowsASnapshotOfOneMoment,
    LosesNoUpdateOfEightConcurrentWriters, GivesALeaseToOneHolderUntilItExpires,
    KeepsALeaseThatIsRenewedAndFreesOneThatIsReleased,
    RefusesTheWriteOfAHolderThatWasPausedBeyondItsLease, GivesALeaseToOneOfEightWhoAskAtOnce,
    RemembersWhatItAnswered, MigratesEachStepOnce, AppliesAllStepsOfAMigrationOrNone,
    RefusesADatabaseOfANewerProgram, RefusesAStepWhoseTextHasChanged);

}  // namespace weft::storage
