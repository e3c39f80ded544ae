#include "storage/postgres_database.h"

#include <csignal>

#include "storage/database_conformance.h"
#include "storage/postgres_server.h"

namespace weft::storage {
namespace {

using testing::HasSubstr;

class PostgresWorld {
 public:
  PostgresWorld() : name_(fmt::format("world_{}", ++count_)) {
    shared_postgres().create_database(name_);
    reopen();
  }

  Database& database() { return *database_; }
  void reopen() { database_ = open(options()); }

  PostgresOptions options() const {
    PostgresOptions options;
    options.url = shared_postgres().url(name_);
    options.units_per_commit_max = 32;
    options.units_queued_max = 100;
    options.rows_max = 50;
    options.reply_timeout = 5s;
    return options;
  }
  std::unique_ptr<PostgresDatabase> open(PostgresOptions options) {
    return std::make_unique<PostgresDatabase>(clock_, metrics_, std::move(options));
  }
  std::string sql(const std::string& text) { return shared_postgres().sql(name_, text); }
  std::uint64_t count(std::string_view metric) { return metrics_.counter(metric, "").value(); }

 private:
  static inline int count_ = 0;
  const std::string name_;
  SystemClock clock_;
  Metrics metrics_;
  std::unique_ptr<PostgresDatabase> database_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, DatabaseConformance, PostgresWorld);

class PostgresDatabaseTest : public DatabaseConformance<PostgresWorld> {};

TEST_F(PostgresDatabaseTest, CommitsUnitsThatQueueTogether) {
  ASSERT_TRUE(migrate(account_schema()));
  std::vector<Unit> units;
  for (int i = 0; i < 100; ++i) units.push_back(open_account(std::to_string(i), 1));

  std::vector<Result<UnitResult>> outcomes;
  run_until_done(execute_all(database(), std::move(units), outcomes));

  for (const auto& outcome : outcomes) EXPECT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(number("SELECT COUNT(*) FROM account"), 100);
  EXPECT_GE(world_.count("weft_storage_commits_total"), 4u);
  EXPECT_LT(world_.count("weft_storage_commits_total"), 50u);
}

TEST_F(PostgresDatabaseTest, LimitsTheRowsOfAQueryAndGoesOn) {
  ASSERT_TRUE(migrate(account_schema()));

  EXPECT_EQ(code_of(query("SELECT * FROM generate_series(1, 51)")), ErrorCode::ResourceExhausted);
  EXPECT_EQ(query("SELECT * FROM generate_series(1, 50)")->size(), 50u);
}

TEST_F(PostgresDatabaseTest, AddsUpWithoutLoss) {
  ASSERT_TRUE(migrate(account_schema()));
  ASSERT_TRUE(execute(open_account("ann", 1'000'000'000'000'000)));
  ASSERT_TRUE(execute(open_account("bob", 1)));

  EXPECT_EQ(number("SELECT SUM(balance) FROM account"), 1'000'000'000'000'001);
}

TEST_F(PostgresDatabaseTest, RefusesATextWithAZeroByte) {
  ASSERT_TRUE(migrate(account_schema()));

  EXPECT_EQ(code_of(execute(open_account(std::string("a\0b", 3), 1))), ErrorCode::InvalidArgument);
  EXPECT_EQ(number("SELECT COUNT(*) FROM account"), 0);
}

TEST_F(PostgresDatabaseTest, LosesNoUpdateOfEightNodes) {
  ASSERT_TRUE(migrate(account_schema()));
  ASSERT_TRUE(execute(open_account("ann", kWriters * kWithdrawals + 7)));

  std::vector<std::thread> nodes;
  for (int i = 0; i < kWriters; ++i) {
    nodes.emplace_back([&] {
      auto own = world_.open(world_.options());
      int conflicts = 0;
      run_until_done(keep_withdrawing(*own, conflicts));
    });
  }
  for (auto& node : nodes) node.join();

  EXPECT_EQ(balance("ann"), 7);
}

// Two units that take the same two rows in opposite order from two nodes: the server ends one of
// them, which is then tried again.
TEST_F(PostgresDatabaseTest, TriesAUnitAgainThatGaveWayToAnotherNode) {
  ASSERT_TRUE(migrate(account_schema()));
  ASSERT_TRUE(execute(open_account("ann", 0)));
  ASSERT_TRUE(execute(open_account("bob", 0)));
  auto move = [&](std::string first, std::string second) {
    auto own = world_.open(world_.options());
    for (int i = 0; i < 5; ++i) {
      Unit unit;
      for (const auto& name : {first, second}) {
        unit.add("UPDATE account SET balance = balance + 1 WHERE name = $1", {name});
        unit.add("SELECT pg_sleep(0.01)");
      }
      auto done = run_until_done(own->execute(std::move(unit)));
      EXPECT_TRUE(done) << done.error().message;
    }
  };

  std::thread one(move, "ann", "bob");
  std::thread other(move, "bob", "ann");
  one.join();
  other.join();

  EXPECT_EQ(balance("ann"), 10);
  EXPECT_EQ(balance("bob"), 10);
}

TEST_F(PostgresDatabaseTest, FailsAUnitThatWasTriedAgainAndThenNotCommitted) {
  ASSERT_TRUE(migrate(account_schema()));
  world_.sql("ALTER TABLE entry ALTER CONSTRAINT entry_account_fkey DEFERRABLE INITIALLY DEFERRED");
  world_.sql("CREATE SEQUENCE tries");
  world_.sql(
      "CREATE FUNCTION give_way_once() RETURNS INTEGER LANGUAGE plpgsql AS $$ BEGIN "
      "IF nextval('tries') = 1 THEN RAISE EXCEPTION 'once' USING ERRCODE = '40001'; END IF; "
      "RETURN 1; END $$");
  Unit unit;
  unit.add("SELECT give_way_once()");
  unit.add("INSERT INTO entry (account, note) VALUES ('nobody', 'judged at the commit')");

  auto result = execute(std::move(unit));

  EXPECT_EQ(code_of(result), ErrorCode::FailedPrecondition);
  EXPECT_EQ(world_.sql("SELECT last_value FROM tries"), "2");
  EXPECT_EQ(number("SELECT COUNT(*) FROM entry"), 0);
}

TEST_F(PostgresDatabaseTest, ComesBackAfterItsSessionsWereEnded) {
  ASSERT_TRUE(migrate(account_schema()));
  ASSERT_TRUE(execute(open_account("ann", 1)));
  EXPECT_EQ(balance("ann"), 1);

  world_.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = "
      "'weft'");

  EXPECT_TRUE(execute(withdraw("ann", 1, 1)));
  EXPECT_EQ(balance("ann"), 0);
}

TEST_F(PostgresDatabaseTest, LeavesNothingOfAUnitWhoseSessionDiedInTheMiddle) {
  ASSERT_TRUE(migrate(account_schema()));
  Unit unit = open_account("ann", 1);
  unit.add("SELECT pg_terminate_backend(pg_backend_pid())");
  unit.append(open_account("bob", 1));

  auto result = execute(std::move(unit));

  ASSERT_EQ(code_of(result), ErrorCode::Unavailable);
  EXPECT_THAT(result.error().message, HasSubstr("nothing of the change was applied"));
  EXPECT_EQ(number("SELECT COUNT(*) FROM account"), 0);
}

TEST_F(PostgresDatabaseTest, MigratesOnceWhenTwoNodesStartTogether) {
  std::vector<std::thread> nodes;
  std::atomic<int> migrated = 0;
  for (int i = 0; i < 4; ++i) {
    nodes.emplace_back([&] {
      auto own = world_.open(world_.options());
      auto done = run_until_done(own->migrate(account_schema(), from_unix_ms(1000)));
      EXPECT_TRUE(done) << done.error().message;
      if (done) ++migrated;
    });
  }
  for (auto& node : nodes) node.join();

  EXPECT_EQ(migrated, 4);
  EXPECT_EQ(number("SELECT COUNT(*) FROM weft_migration"), 1);
}

TEST(PostgresAway, AnswersUnavailableAndComesBackWithTheServer) {
  SystemClock clock;
  Metrics metrics;
  PostgresServer server;
  PostgresOptions options;
  options.url = server.url("postgres");
  options.reconnect_wait_min = 1ms;
  options.reconnect_wait_max = 10ms;
  PostgresDatabase database(clock, metrics, options);
  ASSERT_TRUE(run_until_done(database.migrate(account_schema(), from_unix_ms(1))));

  server.stop();
  auto away = run_until_done(database.execute(open_account("ann", 1)));
  EXPECT_EQ(code_of(away), ErrorCode::Unavailable);
  EXPECT_THAT(away.error().message, HasSubstr("nothing of the change was applied"));

  server.start();
  Result<UnitResult> back = fail(ErrorCode::Internal, "not run");
  for (int tries = 0; tries < 10'000 && !back; ++tries) {
    back = run_until_done(database.execute(open_account("ann", 1)));
  }
  EXPECT_TRUE(back) << back.error().message;
}

TEST(PostgresAway, IsTakenForGoneWhenTheServerIsSilent) {
  SystemClock clock;
  Metrics metrics;
  PostgresServer server;
  PostgresOptions options;
  options.url = server.url("postgres");
  options.reply_timeout = 200ms;
  PostgresDatabase database(clock, metrics, options);
  ASSERT_TRUE(run_until_done(database.migrate(account_schema(), from_unix_ms(1))));
  Unit unit = open_account("ann", 1);
  unit.add("SELECT pg_sleep(60)");

  auto silent = run_until_done(database.execute(std::move(unit)));

  EXPECT_EQ(code_of(silent), ErrorCode::Unavailable);
  EXPECT_THAT(silent.error().message, HasSubstr("no answer within 200 ms"));
}

TEST(PostgresFailover, GoesOnWithThePromotedStandby) {
  SystemClock clock;
  Metrics metrics;
  PostgresServer primary;
  PostgresServer standby(primary);
  PostgresOptions options;
  options.host = "127.0.0.1,127.0.0.1";
  options.port = primary.port() + "," + standby.port();
  options.user = "weft";
  options.database = "postgres";
  options.reconnect_wait_min = 1ms;
  options.reconnect_wait_max = 50ms;
  PostgresDatabase database(clock, metrics, options);
  ASSERT_TRUE(run_until_done(database.migrate(account_schema(), from_unix_ms(1))));
  std::string wait = "SELECT COUNT(*) FROM pg_stat_replication WHERE state = 'streaming'";
  for (int tries = 0; tries < 1000 && primary.sql("postgres", wait) != "1"; ++tries) {
  }
  // From now on a commit waits for the standby, so that none is lost with the primary.
  primary.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'");
  primary.sql("postgres", "SELECT pg_reload_conf()");

  int answered = 0;
  int unknown = 0;
  bool is_over = false;
  for (int i = 0; i < 400 && !is_over; ++i) {
    Unit unit = open_account(fmt::format("{} a", i), 1);
    unit.append(open_account(fmt::format("{} b", i), 1));
    auto done = run_until_done(database.execute(std::move(unit)));
    if (done) ++answered;
    if (!done) {
      EXPECT_EQ(done.error().code, ErrorCode::Unavailable) << done.error().message;
      if (done.error().message.find("unknown whether") != std::string::npos) ++unknown;
    }
    if (i == 50) {
      primary.stop(SIGQUIT);
      standby.promote();
    }
    is_over = answered >= 100;
  }

  EXPECT_TRUE(is_over) << answered << " units were carried out";
  Query query(
      "SELECT COUNT(*) FROM account a WHERE NOT EXISTS (SELECT 1 FROM account b WHERE "
      "substr(a.name, 1, length(a.name) - 1) = substr(b.name, 1, length(b.name) - 1) "
      "AND a.name <> b.name)");
  auto halves = run_until_done(database.query(std::move(query)));
  ASSERT_TRUE(halves) << halves.error().message;
  EXPECT_EQ(halves->at(0).integer(0), 0);
  Query all("SELECT COUNT(*) FROM account");
  auto accounts = run_until_done(database.query(std::move(all)));
  ASSERT_TRUE(accounts) << accounts.error().message;
  EXPECT_GE(accounts->at(0).integer(0), 2 * answered);
  EXPECT_LE(accounts->at(0).integer(0), 2 * (answered + unknown));
}

TEST(PostgresConnect, TellsWhatIsWrongWithTheDatabaseInsteadOfWaiting) {
  SystemClock clock;
  Metrics metrics;
  PostgresOptions options;
  options.url = shared_postgres().url("no_such_database");
  PostgresDatabase database(clock, metrics, options);

  auto migrated = run_until_done(database.migrate(account_schema(), from_unix_ms(1)));

  ASSERT_EQ(code_of(migrated), ErrorCode::FailedPrecondition);
  EXPECT_THAT(migrated.error().message, HasSubstr("no_such_database"));
}

}  // namespace
}  // namespace weft::storage
