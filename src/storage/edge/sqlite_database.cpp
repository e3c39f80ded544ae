#include "storage/sqlite_database.h"

#include <mutex>

#include "runtime/loops.h"
#include "storage/edge/sqlite_connection.h"
#include "storage/edge/unit_queue.h"
#include "storage/edge/writer_steps.h"

namespace weft {

using storage::ConnectionUse;
using storage::SqliteConnection;
using storage::UnitGroup;

namespace {

// The unit inside the open transaction: its effects are there, or none of them.
Result<UnitResult> run_unit(SqliteConnection& writer, const Unit& unit) {
  if (auto set = writer.execute("SAVEPOINT unit"); !set) return Failure(std::move(set).error());
  auto result = storage::run_statements(writer, unit);
  if (!writer.in_transaction()) return result;
  if (!result) {
    if (auto undone = writer.execute("ROLLBACK TO unit"); !undone) {
      return Failure(std::move(undone).error());
    }
  }
  if (auto released = writer.execute("RELEASE unit"); !released) {
    return Failure(std::move(released).error());
  }
  return result;
}

// Schemas are written in SQLite's words.
std::string as_written(std::string_view sql) {
  return std::string(sql);
}

Result<> migrate_whole(SqliteConnection& writer, std::vector<Migration> ours, WallTime now) {
  if (auto begun = writer.execute("BEGIN IMMEDIATE"); !begun) {
    return Failure(std::move(begun).error());
  }
  auto migrated = storage::apply_migrations(writer, std::move(ours), now, as_written);
  if (migrated) {
    auto committed = writer.execute("COMMIT");
    if (committed) return {};
    migrated = Failure(std::move(committed).error());
  }
  writer.roll_back();
  return migrated;
}

}  // namespace

struct SqliteDatabase::State {
  State(SqliteConnection write_connection, Metrics& metrics, const SqliteOptions& given)
      : options(given),
        writer(std::move(write_connection)),
        commits(metrics.counter("weft_storage_commits_total",
                                "Transactions committed to the state database")),
        queue(metrics, {given.units_queued_max, given.units_per_commit_max},
              [this](UnitGroup group) { write_group(group); }),
        read_pool("state-read", given.readers, given.queries_queued_max) {}

  const SqliteOptions options;
  SqliteConnection writer;  // on the queue's one thread
  Counter& commits;

  std::mutex readers_mutex;
  std::vector<SqliteConnection> idle_readers;

  // Last: their destructors finish the jobs, which use everything above.
  storage::UnitQueue queue;
  BlockingPool read_pool;

  void write_group(UnitGroup group);
  std::size_t write_transaction(UnitGroup group);
  Result<std::vector<Rows>> read(const std::vector<Query>& queries);
};

void SqliteDatabase::State::write_group(UnitGroup group) {
  while (!group.empty()) group = group.subspan(write_transaction(group));
}

// Gives the first units their outcomes and returns how many: all, unless SQLite gave the
// transaction up.
std::size_t SqliteDatabase::State::write_transaction(UnitGroup group) {
  auto fail_first = [&](std::size_t count, const Error& error) {
    for (const auto& pending : group.first(count)) fail_unless_failed(*pending, error);
    writer.roll_back();
    return count;
  };
  if (auto begun = writer.execute("BEGIN IMMEDIATE"); !begun) {
    return fail_first(group.size(), begun.error());
  }
  for (std::size_t i = 0; i < group.size(); ++i) {
    group[i]->outcome = run_unit(writer, group[i]->unit);
    if (writer.in_transaction()) continue;
    // Every unit so far went with the transaction.
    if (group[i]->outcome->has_value()) {
      group[i]->outcome = fail(ErrorCode::Internal, "a unit must not end the transaction");
    }
    return fail_first(i + 1, Error(group[i]->outcome->error()));
  }
  if (auto committed = writer.execute("COMMIT"); !committed) {
    return fail_first(group.size(), committed.error());
  }
  commits.add();
  return group.size();
}

Result<std::vector<Rows>> SqliteDatabase::State::read(const std::vector<Query>& queries) {
  auto take = [&] {
    std::lock_guard lock(readers_mutex);
    ENSURE(!idle_readers.empty(), "there is a reader for each thread of the pool");
    auto reader = std::move(idle_readers.back());
    idle_readers.pop_back();
    return reader;
  };
  auto reader = take();
  auto read_all = [&]() -> Result<std::vector<Rows>> {
    std::vector<Rows> results;
    for (const auto& query : queries) {
      TRY(auto rows, reader.query(query.sql, query.parameters, options.rows_max));
      results.push_back(std::move(rows));
    }
    return results;
  };
  Result<std::vector<Rows>> results;
  if (queries.size() == 1) {
    results = read_all();
  } else {
    auto begun = reader.execute("BEGIN");
    results = begun ? read_all() : Failure(std::move(begun).error());
    if (reader.in_transaction()) std::ignore = reader.execute("COMMIT");
  }
  std::lock_guard lock(readers_mutex);
  idle_readers.push_back(std::move(reader));
  return results;
}

SqliteDatabase::SqliteDatabase(std::unique_ptr<State> state) : state_(std::move(state)) {}
SqliteDatabase::~SqliteDatabase() = default;

namespace {

// SQLite gives the files beside it (-wal, -shm) the mode of the database file, so that one is made
// first, readable by its owner alone.
Task<Result<>> create_file(FileSystem& files, std::string path) {
  CO_TRY(auto file, co_await files.open(path, OpenMode::CreateOrOpen));
  CO_CHECK(co_await file->sync());
  co_return co_await files.sync_directory(parent_path(path));
}

}  // namespace

Task<Result<std::unique_ptr<SqliteDatabase>>> SqliteDatabase::open(FileSystem& files,
                                                                   Metrics& metrics,
                                                                   SqliteOptions options) {
  CO_CHECK(co_await create_file(files, options.path));
  CO_TRY(auto writer,
         SqliteConnection::open(options.path, ConnectionUse::Write, options.busy_timeout));
  auto state = std::make_unique<State>(std::move(writer), metrics, options);
  for (std::size_t i = 0; i < options.readers; ++i) {
    CO_TRY(auto reader,
           SqliteConnection::open(options.path, ConnectionUse::Read, options.busy_timeout));
    state->idle_readers.push_back(std::move(reader));
  }
  co_return std::unique_ptr<SqliteDatabase>(new SqliteDatabase(std::move(state)));
}

Task<Result<>> SqliteDatabase::migrate(std::vector<Migration> migrations, WallTime now) {
  std::function<Result<>()> work = [this, &migrations, now] {
    return migrate_whole(state_->writer, std::move(migrations), now);
  };
  co_return co_await state_->queue.run(std::move(work));
}

Task<Result<UnitResult>> SqliteDatabase::execute(Unit unit) {
  co_return co_await state_->queue.execute(std::move(unit));
}

Task<Result<std::vector<Rows>>> SqliteDatabase::snapshot(std::vector<Query> queries) {
  std::function<Result<std::vector<Rows>>()> work = [state = state_.get(), &queries] {
    return state->read(queries);
  };
  co_return co_await state_->read_pool.run<std::vector<Rows>>(std::move(work));
}

Task<Result<>> SqliteDatabase::copy_to(FileSystem& files, std::string path) {
  // Made first, so that it is readable by its owner alone.
  CO_TRY(auto file, co_await files.open(path, OpenMode::CreateNew));
  std::function<Result<>()> work = [this, &path]() -> Result<> {
    const auto& options = state_->options;
    TRY(auto connection,
        SqliteConnection::open(options.path, ConnectionUse::Write, options.busy_timeout));
    auto copied = connection.execute("VACUUM INTO $1", {path});
    if (!copied) return Failure(std::move(copied).error().within("copy of the state database"));
    return {};
  };
  CO_CHECK(co_await state_->read_pool.run<void>(std::move(work)));
  CO_CHECK(co_await file->sync());
  co_return co_await files.sync_directory(parent_path(path));
}

Result<> check_sqlite_file(const std::string& path) {
  TRY(auto connection,
      SqliteConnection::open(path, ConnectionUse::Read, std::chrono::milliseconds(0)));
  TRY(auto rows, connection.query("PRAGMA integrity_check", {}, 100));
  if (rows.size() == 1 && rows[0].text(0) == "ok") return {};
  auto first = rows.empty() ? std::string("no answer") : rows[0].text(0);
  return fail(ErrorCode::DataLoss, "{}: the database is damaged: {}", path, first);
}

}  // namespace weft
