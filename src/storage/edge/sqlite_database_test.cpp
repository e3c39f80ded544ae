#include "storage/sqlite_database.h"

#include <sys/stat.h>

#include <fstream>

#include "storage/database_conformance.h"
#include "storage/edge/sqlite_connection.h"
#include "storage/temporary_folder.h"

namespace weft::storage {
namespace {

using testing::HasSubstr;

class SqliteWorld {
 public:
  SqliteWorld() { reopen(); }

  Database& database() { return *database_; }
  void reopen() {
    database_.reset();
    auto opened = try_open(folder_.file("state.db"));
    ENSURE(opened.has_value(), "the database opens");
    database_ = *std::move(opened);
  }

  Result<std::unique_ptr<SqliteDatabase>> try_open(std::string path) {
    SqliteOptions options(std::move(path));
    options.units_per_commit_max = 32;
    options.units_queued_max = 100;
    options.rows_max = 50;
    options.busy_timeout = std::chrono::milliseconds(1);
    return run_until_done(SqliteDatabase::open(files_, metrics_, options));
  }

  std::string file(const std::string& name) const { return folder_.file(name); }
  std::uint64_t count(std::string_view metric) { return metrics_.counter(metric, "").value(); }

 private:
  TemporaryFolder folder_;
  PosixFileSystem files_;
  Metrics metrics_;
  std::unique_ptr<SqliteDatabase> database_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, DatabaseConformance, SqliteWorld);

class SqliteDatabaseTest : public DatabaseConformance<SqliteWorld> {
 protected:
  std::vector<Result<UnitResult>> execute_together(std::size_t count) {
    std::vector<Unit> units;
    for (std::size_t i = 0; i < count; ++i) units.push_back(open_account(std::to_string(i), 1));
    std::vector<Result<UnitResult>> outcomes;
    run_until_done(execute_all(database(), std::move(units), outcomes));
    return outcomes;
  }

  // As the database's own writer connects.
  SqliteConnection connect(const std::string& name) {
    auto opened = SqliteConnection::open(world_.file(name), ConnectionUse::Write, 1ms);
    ENSURE(opened.has_value(), "the file opens");
    return *std::move(opened);
  }
};

TEST_F(SqliteDatabaseTest, CommitsUnitsThatQueueTogether) {
  ASSERT_TRUE(migrate(account_schema()));
  auto commits_before = world_.count("weft_storage_commits_total");

  auto outcomes = execute_together(100);

  for (const auto& outcome : outcomes) EXPECT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(world_.count("weft_storage_units_total"), 100u);
  // Groups hold at most 32; the first may be a lone unit, as it finds the writer idle.
  auto commits = world_.count("weft_storage_commits_total") - commits_before;
  EXPECT_GE(commits, 4u);
  EXPECT_LT(commits, 50u);
}

TEST_F(SqliteDatabaseTest, RefusesMoreWaitingUnitsThanItsLimit) {
  ASSERT_TRUE(migrate(account_schema()));

  auto outcomes = execute_together(1000);

  auto refused = std::ranges::count_if(outcomes, [](const auto& outcome) {
    return code_of(outcome) == ErrorCode::ResourceExhausted;
  });
  EXPECT_GT(refused, 0);
  EXPECT_EQ(number("SELECT COUNT(*) FROM account"), 1000 - refused);
  EXPECT_TRUE(execute(open_account("later", 1)));
}

TEST_F(SqliteDatabaseTest, RefusesAResultBeyondTheRowLimit) {
  ASSERT_TRUE(migrate(account_schema()));
  execute_together(60);

  EXPECT_EQ(code_of(query("SELECT name FROM account")), ErrorCode::ResourceExhausted);
  EXPECT_TRUE(query("SELECT name FROM account LIMIT 50"));
}

TEST_F(SqliteDatabaseTest, SyncsEveryCommitAndWritesAhead) {
  auto connection = connect("state.db");

  auto mode = connection.query("PRAGMA journal_mode", {}, 1);
  auto synchronous = connection.query("PRAGMA synchronous", {}, 1);

  ASSERT_TRUE(mode && synchronous);
  EXPECT_EQ(mode->at(0).text(0), "wal");
  EXPECT_EQ(synchronous->at(0).integer(0), 2);  // FULL
}

TEST_F(SqliteDatabaseTest, KeepsItsFilesFromOtherUsers) {
  ASSERT_TRUE(migrate(account_schema()));

  for (const char* name : {"state.db", "state.db-wal", "state.db-shm"}) {
    struct stat about {};
    ASSERT_EQ(::stat(world_.file(name).c_str(), &about), 0) << name;
    EXPECT_EQ(about.st_mode & 0777, 0600u) << name;
  }
}

TEST_F(SqliteDatabaseTest, RefusesAFileThatIsNoDatabase) {
  std::ofstream(world_.file("text.db")) << std::string(4096, 'x');

  auto opened = world_.try_open(world_.file("text.db"));

  ASSERT_EQ(code_of(opened), ErrorCode::DataLoss);
}

TEST_F(SqliteDatabaseTest, RefusesTheDatabaseOfAnotherProgram) {
  ASSERT_TRUE(connect("state.db").run_script("PRAGMA application_id = 77"));

  auto opened = world_.try_open(world_.file("state.db"));

  ASSERT_EQ(code_of(opened), ErrorCode::FailedPrecondition);
  EXPECT_THAT(opened.error().message, HasSubstr("another program"));
}

TEST_F(SqliteDatabaseTest, IsUnavailableWhileAnotherProcessWrites) {
  ASSERT_TRUE(migrate(account_schema()));
  auto rival = connect("state.db");
  ASSERT_TRUE(rival.run_script("BEGIN IMMEDIATE"));

  auto blocked = execute(open_account("ann", 1));
  ASSERT_TRUE(rival.run_script("COMMIT"));
  auto free = execute(open_account("ann", 1));

  EXPECT_EQ(code_of(blocked), ErrorCode::Unavailable);
  EXPECT_TRUE(free);
}

TEST_F(SqliteDatabaseTest, FailsEveryUnitOfATransactionThatAUnitBroke) {
  ASSERT_TRUE(migrate(account_schema()));
  std::vector<Unit> units{open_account("ann", 1), Unit(), open_account("bob", 1)};
  units[1].add("ROLLBACK");

  std::vector<Result<UnitResult>> outcomes;
  run_until_done(execute_all(database(), std::move(units), outcomes));

  // However they were grouped: what was answered with success is there, nothing else.
  std::int64_t successes = (outcomes[0] ? 1 : 0) + (outcomes[2] ? 1 : 0);
  EXPECT_FALSE(outcomes[1]);
  EXPECT_EQ(number("SELECT COUNT(*) FROM account"), successes);
  EXPECT_TRUE(outcomes[2]);
}

TEST_F(SqliteDatabaseTest, CopiesItsLastCommitIntoAFileOfTheOwner) {
  ASSERT_TRUE(migrate(account_schema()));
  ASSERT_TRUE(execute(open_account("ann", 7)));
  PosixFileSystem files;
  auto& sqlite = dynamic_cast<SqliteDatabase&>(database());

  auto copied = run_until_done(sqlite.copy_to(files, world_.file("copy.db")));
  auto again = run_until_done(sqlite.copy_to(files, world_.file("copy.db")));

  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(code_of(again), ErrorCode::AlreadyExists);
  struct stat about {};
  ASSERT_EQ(::stat(world_.file("copy.db").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  auto copy = world_.try_open(world_.file("copy.db"));
  ASSERT_TRUE(copy) << copy.error().message;
  auto rows = run_until_done((*copy)->query(Query("SELECT COUNT(*) FROM account")));
  EXPECT_EQ(rows.value()[0].integer(0), 1);
}

TEST_F(SqliteDatabaseTest, SaysWhichFolderIsMissing) {
  auto opened = world_.try_open(world_.file("missing/state.db"));

  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("missing/state.db"));
}

}  // namespace
}  // namespace weft::storage
