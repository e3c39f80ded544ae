#include "storage/postgres_database.h"

#include <mutex>

#include "runtime/log.h"
#include "runtime/loops.h"
#include "storage/core/postgres_text.h"
#include "storage/edge/postgres_connection.h"
#include "storage/edge/unit_queue.h"
#include "storage/edge/writer_steps.h"

namespace weft {

using storage::ConnectionUse;
using storage::PostgresConnection;
using storage::UnitGroup;

namespace {

constexpr int kLoneTriesMax = 20;
// Two writers that met once would meet again without chance between them.
constexpr std::string_view kPauseBeforeRetry = "SELECT pg_sleep(random() * 0.02)";
// Any number that other programs on the server do not lock: "weft-mig".
constexpr std::string_view kLockMigrations =
    "SELECT pg_advisory_xact_lock(8603373386706184551); SET LOCAL client_min_messages = warning";

storage::PostgresParameters connect_parameters(const PostgresOptions& options, ConnectionUse use) {
  auto timeout = std::to_string(options.connect_timeout.count());
  auto silence = std::to_string(options.reply_timeout.count());
  // A reader's session is read-only by its own choice, so that its host is told by its role.
  std::string wanted = use == ConnectionUse::Write ? "read-write" : "primary";
  return {{"dbname", options.url},         {"dbname", options.database},
          {"host", options.host},          {"port", options.port},
          {"user", options.user},          {"password", options.password},
          {"sslmode", options.ssl_mode},   {"sslrootcert", options.ssl_root_file},
          {"connect_timeout", timeout},    {"tcp_user_timeout", silence},
          {"client_encoding", "UTF8"},     {"application_name", "weft"},
          {"target_session_attrs", wanted}};
}

// A connection that comes back. One thread at a time.
class LastingSession {
 public:
  LastingSession(Clock& clock, const PostgresOptions& options, ConnectionUse use)
      : clock_(clock), options_(options), use_(use), wait_(options.reconnect_wait_min) {}

  Result<PostgresConnection*> ready() {
    if (connection_ && connection_->is_alive()) return &*connection_;
    connection_.reset();
    auto now = clock_.mono();
    if (last_error_ && now < next_try_) return Failure(*last_error_);
    auto opened =
        PostgresConnection::open(connect_parameters(options_, use_), use_, options_.reply_timeout);
    if (!opened) {
      last_error_ = opened.error();
      next_try_ = clock_.mono() + wait_;
      wait_ = std::min(wait_ * 2, options_.reconnect_wait_max);
      return Failure(std::move(opened).error());
    }
    last_error_.reset();
    wait_ = options_.reconnect_wait_min;
    connection_.emplace(*std::move(opened));
    return &*connection_;
  }

 private:
  Clock& clock_;
  const PostgresOptions& options_;
  ConnectionUse use_;
  std::chrono::milliseconds wait_;
  MonoTime next_try_{};
  std::optional<Error> last_error_;
  std::optional<PostgresConnection> connection_;
};

Result<> step(PostgresConnection& connection, std::string_view sql) {
  TRY(auto rows, connection.execute(sql));
  std::ignore = rows;
  return {};
}

// The unit inside the open transaction: the outer result fails when the transaction is of no more
// use.
Result<> run_in_savepoint(PostgresConnection& writer, storage::PendingUnit& pending) {
  CHECK(step(writer, "SAVEPOINT unit"));
  auto result = storage::run_statements(writer, pending.unit);
  if (!result && (!writer.is_alive() || writer.gave_way())) {
    return Failure(std::move(result).error());
  }
  if (!result) CHECK(step(writer, "ROLLBACK TO SAVEPOINT unit"));
  CHECK(step(writer, "RELEASE SAVEPOINT unit"));
  pending.outcome = std::move(result);
  return {};
}

Error not_applied(Error error) {
  if (error.code == ErrorCode::Unavailable) error.message += "; nothing of the change was applied";
  return error;
}

Error maybe_applied(Error error) {
  if (error.code != ErrorCode::Unavailable) return error;
  error.message +=
      "; the connection was lost while the change was committed, so it is unknown "
      "whether it was applied: look before you try again";
  return error;
}

}  // namespace

struct PostgresDatabase::State {
  State(Clock& system_clock, Metrics& metrics, PostgresOptions given)
      : clock(system_clock),
        options(std::move(given)),
        writer(clock, options, ConnectionUse::Write),
        commits(metrics.counter("weft_storage_commits_total",
                                "Transactions committed to the state database")),
        queue(metrics, {options.units_queued_max, options.units_per_commit_max},
              [this](UnitGroup group) { write_group(group); }),
        read_pool("state-read", options.readers, options.queries_queued_max) {
    for (std::size_t i = 0; i < options.readers; ++i) {
      idle_readers.push_back(std::make_unique<LastingSession>(clock, options, ConnectionUse::Read));
    }
  }

  Clock& clock;
  const PostgresOptions options;
  LastingSession writer;  // on the queue's one thread
  Counter& commits;

  mutable std::mutex unmigrated_mutex;
  std::string unmigrated;  // why the last migrate() found no server; empty: it did

  std::mutex readers_mutex;
  std::vector<std::unique_ptr<LastingSession>> idle_readers;

  // Last: their destructors finish the jobs, which use everything above.
  storage::UnitQueue queue;
  BlockingPool read_pool;

  Result<> check_migrated() const;
  Result<PostgresConnection*> begin(LastingSession& session, std::string_view sql);
  Result<> migrate(std::vector<Migration> ours, WallTime now);
  void write_group(UnitGroup group);
  Result<> write_transaction(UnitGroup group, bool& gave_way);
  void write_alone(storage::PendingUnit& pending);
  Result<std::vector<Rows>> read(const std::vector<Query>& queries);
  Result<std::vector<Rows>> read_once(LastingSession& reader, const std::vector<Query>& queries);
};

Result<> PostgresDatabase::State::check_migrated() const {
  std::lock_guard lock(unmigrated_mutex);
  if (unmigrated.empty()) return {};
  return fail(ErrorCode::Unavailable, "{}; its schema is brought up to date once it is back",
              unmigrated);
}

// An old connection may have died while it was idle; nothing is lost with it.
Result<PostgresConnection*> PostgresDatabase::State::begin(LastingSession& session,
                                                           std::string_view sql) {
  for (int tries = 0;; ++tries) {
    TRY(auto* connection, session.ready());
    auto begun = step(*connection, sql);
    if (begun) return connection;
    if (connection->is_alive() || tries > 0) return Failure(std::move(begun).error());
  }
}

Result<> PostgresDatabase::State::migrate(std::vector<Migration> ours, WallTime now) {
  TRY(auto* connection, begin(writer, "BEGIN ISOLATION LEVEL READ COMMITTED"));
  auto migrated = connection->run_script(std::string(kLockMigrations));
  if (migrated) {
    migrated =
        storage::apply_migrations(*connection, std::move(ours), now, storage::postgres_schema);
  }
  if (migrated) migrated = step(*connection, "COMMIT");
  connection->roll_back();
  return migrated;
}

void PostgresDatabase::State::write_group(UnitGroup group) {
  bool gave_way = false;
  auto written = write_transaction(group, gave_way);
  if (written) return;
  if (gave_way) {
    for (const auto& pending : group) write_alone(*pending);
    return;
  }
  for (const auto& pending : group) fail_unless_failed(*pending, written.error());
}

// `gave_way`: nothing was committed, and trying again makes sense.
Result<> PostgresDatabase::State::write_transaction(UnitGroup group, bool& gave_way) {
  auto begun = begin(writer, "BEGIN ISOLATION LEVEL READ COMMITTED");
  if (!begun) return Failure(not_applied(std::move(begun).error()));
  auto& connection = **begun;
  for (const auto& pending : group) {
    auto run = run_in_savepoint(connection, *pending);
    if (run) continue;
    gave_way = connection.gave_way();
    connection.roll_back();
    return Failure(not_applied(std::move(run).error()));
  }
  auto committed = step(connection, "COMMIT");
  if (!committed) {
    gave_way = connection.gave_way();
    connection.roll_back();
    return Failure(maybe_applied(std::move(committed).error()));
  }
  commits.add();
  return {};
}

void PostgresDatabase::State::write_alone(storage::PendingUnit& pending) {
  auto lone = std::shared_ptr<storage::PendingUnit>(std::shared_ptr<void>(), &pending);
  for (int tries = 1;; ++tries) {
    bool gave_way = false;
    pending.outcome.reset();
    auto written = write_transaction(UnitGroup(&lone, 1), gave_way);
    if (written) return;
    if (gave_way && tries < kLoneTriesMax) {
      if (auto session = writer.ready()) std::ignore = step(**session, kPauseBeforeRetry);
      continue;
    }
    fail_unless_failed(pending, written.error());
    return;
  }
}

Result<std::vector<Rows>> PostgresDatabase::State::read_once(LastingSession& reader,
                                                             const std::vector<Query>& queries) {
  TRY(auto* connection, reader.ready());
  bool is_snapshot = queries.size() > 1;
  if (is_snapshot) CHECK(step(*connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  std::vector<Rows> results;
  for (const auto& query : queries) {
    auto rows = connection->query(query.sql, query.parameters, options.rows_max);
    if (!rows) {
      connection->roll_back();
      return Failure(std::move(rows).error());
    }
    results.push_back(*std::move(rows));
  }
  if (is_snapshot) CHECK(step(*connection, "COMMIT"));
  return results;
}

Result<std::vector<Rows>> PostgresDatabase::State::read(const std::vector<Query>& queries) {
  CHECK(check_migrated());
  std::unique_ptr<LastingSession> reader;
  {
    std::lock_guard lock(readers_mutex);
    ENSURE(!idle_readers.empty(), "there is a reader for each thread of the pool");
    reader = std::move(idle_readers.back());
    idle_readers.pop_back();
  }
  auto results = read_once(*reader, queries);
  // The connection may have died while it was idle; reading twice does no harm.
  if (!results && results.error().code == ErrorCode::Unavailable) {
    results = read_once(*reader, queries);
  }
  std::lock_guard lock(readers_mutex);
  idle_readers.push_back(std::move(reader));
  return results;
}

PostgresDatabase::PostgresDatabase(Clock& clock, Metrics& metrics, PostgresOptions options)
    : state_(std::make_unique<State>(clock, metrics, std::move(options))) {}
PostgresDatabase::~PostgresDatabase() = default;

Task<Result<>> PostgresDatabase::migrate(std::vector<Migration> migrations, WallTime now) {
  std::function<Result<>()> work = [state = state_.get(), &migrations, now] {
    auto migrated = state->migrate(std::move(migrations), now);
    bool is_away = !migrated && migrated.error().code == ErrorCode::Unavailable;
    std::lock_guard lock(state->unmigrated_mutex);
    state->unmigrated = is_away ? migrated.error().message : std::string();
    return migrated;
  };
  co_return co_await state_->queue.run(std::move(work));
}

Task<Result<UnitResult>> PostgresDatabase::execute(Unit unit) {
  CO_CHECK(state_->check_migrated());
  co_return co_await state_->queue.execute(std::move(unit));
}

Task<Result<std::vector<Rows>>> PostgresDatabase::snapshot(std::vector<Query> queries) {
  std::function<Result<std::vector<Rows>>()> work = [state = state_.get(), &queries] {
    return state->read(queries);
  };
  co_return co_await state_->read_pool.run<std::vector<Rows>>(std::move(work));
}

}  // namespace weft
