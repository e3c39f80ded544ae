#include "storage/edge/sqlite_connection.h"

#include <sqlite3.h>

#include <charconv>
#include <functional>
#include <type_traits>
#include <unordered_map>

#include "base/bytes.h"

namespace weft::storage {

namespace {

constexpr std::size_t kStatementsKept = 256;
constexpr int kApplicationId = 0x57656674;  // "Weft"

struct Close {
  void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using StatementPtr = std::unique_ptr<sqlite3_stmt, Close>;

// A statement that is done with must not hold its locks or values until its next use.
struct Reset {
  void operator()(sqlite3_stmt* statement) const {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
};
using Running = std::unique_ptr<sqlite3_stmt, Reset>;

ErrorCode code_of(int code) {
  if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
      code == SQLITE_CONSTRAINT_ROWID) {
    return ErrorCode::AlreadyExists;
  }
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
      return ErrorCode::FailedPrecondition;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::Unavailable;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return ErrorCode::ResourceExhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::DataLoss;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return ErrorCode::IoError;
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
      return ErrorCode::InvalidArgument;
    default:
      return ErrorCode::Internal;
  }
}

int bind_value(sqlite3_stmt* statement, int at, const SqlValue& value) {
  return std::visit(
      [&](const auto& held) {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return sqlite3_bind_null(statement, at);
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          return sqlite3_bind_int64(statement, at, held);
        } else if constexpr (std::is_same_v<T, double>) {
          return sqlite3_bind_double(statement, at, held);
        } else if constexpr (std::is_same_v<T, std::string>) {
          return sqlite3_bind_text64(statement, at, held.data(), held.size(), SQLITE_STATIC,
                                     SQLITE_UTF8);
        } else {
          // A null pointer would bind NULL instead of an empty blob.
          const char* bytes = held.bytes.empty() ? "" : held.bytes.data();
          return sqlite3_bind_blob64(statement, at, bytes, held.bytes.size(), SQLITE_STATIC);
        }
      },
      value);
}

SqlValue column_value(sqlite3_stmt* statement, int at) {
  auto size = [&] { return static_cast<std::size_t>(sqlite3_column_bytes(statement, at)); };
  switch (sqlite3_column_type(statement, at)) {
    case SQLITE_INTEGER:
      return static_cast<std::int64_t>(sqlite3_column_int64(statement, at));
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, at);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, at));
      return std::string(text, size());
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, at));
      return SqlBlob{bytes == nullptr ? std::string() : std::string(bytes, size())};
    }
    default:
      return {};
  }
}

// The n of a parameter $n; 0 when it is written otherwise.
std::size_t parameter_number(const char* name) {
  if (name == nullptr || name[0] != '$') return 0;
  std::string_view digits(name + 1);
  std::size_t number = 0;
  auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return parsed.ptr == digits.data() + digits.size() ? number : 0;
}

}  // namespace

struct SqliteConnection::Parts {
  std::unique_ptr<sqlite3, Close> connection;
  std::unordered_map<std::string, StatementPtr, StringHash, std::equal_to<>> statements;
};

SqliteConnection::SqliteConnection(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
SqliteConnection::SqliteConnection(SqliteConnection&&) noexcept = default;
SqliteConnection& SqliteConnection::operator=(SqliteConnection&&) noexcept = default;
SqliteConnection::~SqliteConnection() = default;

namespace {

Result<> check_application(SqliteConnection& connection, const std::string& path) {
  TRY(auto id, connection.query("PRAGMA application_id", {}, 1));
  if (id.at(0).integer(0) == kApplicationId) return {};
  TRY(auto tables, connection.query("SELECT COUNT(*) FROM sqlite_master", {}, 1));
  if (id.at(0).integer(0) != 0 || tables.at(0).integer(0) != 0) {
    return fail(ErrorCode::FailedPrecondition,
                "{} is a SQLite file of another program; give Weft a data folder of its own", path);
  }
  return connection.run_script(fmt::format("PRAGMA application_id = {}", kApplicationId));
}

}  // namespace

Result<SqliteConnection> SqliteConnection::open(const std::string& path, ConnectionUse use,
                                                std::chrono::milliseconds busy_timeout) {
  sqlite3* raw = nullptr;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  auto parts = std::make_unique<Parts>();
  parts->connection.reset(raw);
  SqliteConnection opened(std::move(parts));
  if (code != SQLITE_OK) return Failure(opened.failure(code, "open").within(path));
  sqlite3_busy_timeout(raw, static_cast<int>(busy_timeout.count()));
  if (use == ConnectionUse::Write) {
    CHECK(check_application(opened, path));
    TRY(auto mode, opened.query("PRAGMA journal_mode = WAL", {}, 1));
    if (mode.empty() || mode[0].text(0) != "wal") {
      return fail(ErrorCode::Unsupported, "{}: its file system does not allow SQLite's WAL mode",
                  path);
    }
    CHECK(
        opened.run_script("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; "
                          "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; "
                          "PRAGMA journal_size_limit = 67108864"));
  } else {
    CHECK(opened.run_script("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF"));
  }
  return opened;
}

Error SqliteConnection::failure(int code, std::string_view sql) const {
  const char* text =
      parts_->connection ? sqlite3_errmsg(parts_->connection.get()) : "out of memory";
  return {code_of(code), fmt::format("state database: {} [{}]", text, sql)};
}

Result<sqlite3_stmt*> SqliteConnection::prepare(std::string_view sql,
                                                const SqlParameters& parameters) {
  auto& kept = parts_->statements;
  auto found = kept.find(sql);
  if (found == kept.end()) {
    sqlite3_stmt* raw = nullptr;
    const char* rest = nullptr;
    int code =
        sqlite3_prepare_v3(parts_->connection.get(), sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &raw, &rest);
    StatementPtr made(raw);
    if (code != SQLITE_OK) return Failure(failure(code, sql));
    auto unread = std::string_view(rest, static_cast<std::size_t>(sql.data() + sql.size() - rest));
    if (raw == nullptr || unread.find_first_not_of(" \n\t;") != std::string_view::npos) {
      return fail(ErrorCode::InvalidArgument, "exactly one SQL statement is wanted [{}]", sql);
    }
    if (kept.size() >= kStatementsKept) kept.clear();
    found = kept.emplace(std::string(sql), std::move(made)).first;
  }
  auto* statement = found->second.get();
  std::size_t highest = 0;
  for (int at = 1; at <= sqlite3_bind_parameter_count(statement); ++at) {
    auto number = parameter_number(sqlite3_bind_parameter_name(statement, at));
    highest = std::max(highest, number);
    if (number == 0 || number > parameters.size()) {
      return fail(ErrorCode::InvalidArgument, "a parameter is not $1 to ${} [{}]",
                  parameters.size(), sql);
    }
    int code = bind_value(statement, at, parameters[number - 1]);
    if (code != SQLITE_OK) return Failure(failure(code, sql));
  }
  if (highest == parameters.size()) return statement;
  return fail(ErrorCode::InvalidArgument, "{} parameters given, {} used [{}]", parameters.size(),
              highest, sql);
}

Result<std::int64_t> SqliteConnection::execute(std::string_view sql,
                                               const SqlParameters& parameters) {
  auto* connection = parts_->connection.get();
  TRY(auto* statement, prepare(sql, parameters));
  Running running(statement);
  auto before = sqlite3_total_changes64(connection);
  int code = SQLITE_ROW;
  while (code == SQLITE_ROW) code = sqlite3_step(statement);
  if (code != SQLITE_DONE) return Failure(failure(code, sql));
  // sqlite3_changes keeps the number of an earlier statement when this one was not a change.
  if (sqlite3_total_changes64(connection) == before) return 0;
  return sqlite3_changes64(connection);
}

Result<Rows> SqliteConnection::query(std::string_view sql, const SqlParameters& parameters,
                                     std::size_t rows_max) {
  TRY(auto* statement, prepare(sql, parameters));
  Running running(statement);
  if (sqlite3_stmt_readonly(statement) == 0 && !sql.starts_with("PRAGMA ")) {
    return fail(ErrorCode::InvalidArgument, "a query must not change anything [{}]", sql);
  }
  Rows rows;
  for (;;) {
    int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) return rows;
    if (code != SQLITE_ROW) return Failure(failure(code, sql));
    if (rows.size() == rows_max) {
      return fail(ErrorCode::ResourceExhausted, "a query has more than {} rows [{}]", rows_max,
                  sql);
    }
    int columns = sqlite3_column_count(statement);
    std::vector<SqlValue> values;
    values.reserve(static_cast<std::size_t>(columns));
    for (int at = 0; at < columns; ++at) values.push_back(column_value(statement, at));
    rows.emplace_back(std::move(values));
  }
}

Result<> SqliteConnection::run_script(const std::string& sql) {
  int code = sqlite3_exec(parts_->connection.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return Failure(failure(code, sql));
  return {};
}

bool SqliteConnection::in_transaction() const {
  return sqlite3_get_autocommit(parts_->connection.get()) == 0;
}

void SqliteConnection::roll_back() {
  if (in_transaction()) std::ignore = execute("ROLLBACK");
}

}  // namespace weft::storage
