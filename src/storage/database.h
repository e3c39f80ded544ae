// The seam of the state database: what lists and pages query. SQLite inside the process is the
// default back end (sqlite_database.h), a PostgreSQL server that nodes share the other
// (postgres_database.h).
//
// SQL is written once for all back ends: parameters are $1, $2 …; tables end in STRICT and use the
// types INTEGER (64 bit), REAL, TEXT and BLOB (a back end that has other words for them swaps these
// in migrations); text compares by its bytes; an ORDER BY on a column that may be null says NULLS
// FIRST or NULLS LAST; times are INTEGER milliseconds since 1970; no triggers, no functions beyond
// COUNT, SUM, MIN, MAX, COALESCE, LENGTH, LOWER, SUBSTR.
//
// There are no interactive transactions: a Unit is a guarded statement list that happens whole or
// not at all. Every update names the version that it expects in its WHERE and says how many rows it
// must touch; another number is Conflict. The writer groups the units that queued into one commit,
// so a unit costs less the more of them there are; a unit that fails does not touch its neighbours.
//
// Threads: all calls from any thread; the result arrives on the caller's loop, no call blocks it.
// Ownership: the database outlives every call. Cancellation: calls are deaf to it; a unit that was
// accepted is carried out. Durability: a unit is on the medium when its result arrives.
// Failure: Conflict (row count, or another writer), AlreadyExists (unique key), FailedPrecondition
// (other constraint), ResourceExhausted (queue or disk full), Unavailable (no connection),
// InvalidArgument (bad SQL: our bug), IoError, DataLoss.
//
// With g++ 12 never write a braced Unit or parameter list inside a co_await expression: name it
// first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "runtime/task.h"

namespace weft {

struct SqlBlob {
  std::string bytes;
  friend bool operator==(const SqlBlob&, const SqlBlob&) = default;
};

using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string, SqlBlob>;
using SqlParameters = std::vector<SqlValue>;

// Null when the optional is empty.
inline SqlValue nullable(std::optional<std::string> text) {
  return text ? SqlValue(std::move(*text)) : SqlValue();
}
inline SqlValue nullable(std::optional<std::int64_t> number) {
  return number ? SqlValue(*number) : SqlValue();
}

// One row of a result. Columns are numbered from 0 in the order of the SELECT; asking for another
// type than the column's is our bug and aborts.
class Row {
 public:
  explicit Row(std::vector<SqlValue> values) : values_(std::move(values)) {}

  std::size_t size() const { return values_.size(); }
  const SqlValue& operator[](std::size_t column) const { return values_[column]; }
  bool is_null(std::size_t column) const;
  std::int64_t integer(std::size_t column) const;
  const std::string& text(std::size_t column) const;
  const std::string& blob(std::size_t column) const;
  std::optional<std::int64_t> optional_integer(std::size_t column) const;
  std::optional<std::string> optional_text(std::size_t column) const;

 private:
  std::vector<SqlValue> values_;
};

using Rows = std::vector<Row>;

struct Query {
  explicit Query(std::string query_sql, SqlParameters query_parameters = {});
  std::string sql;
  SqlParameters parameters;
};

struct Statement {
  std::string sql;
  SqlParameters parameters;
  std::optional<std::int64_t> affects;  // the exact number of rows, or the unit is a Conflict
  std::string otherwise;                // the Conflict's message
};

// A guarded statement list.
class Unit {
 public:
  Unit& add(std::string sql, SqlParameters parameters = {});
  // The statement must touch exactly `rows` rows, or the unit fails with Conflict and this message.
  Unit& add_guarded(std::int64_t rows, std::string otherwise, std::string sql,
                    SqlParameters parameters = {});
  Unit& append(Unit other);

  const std::vector<Statement>& statements() const { return statements_; }
  bool empty() const { return statements_.empty(); }

 private:
  std::vector<Statement> statements_;
};

struct UnitResult {
  std::vector<std::int64_t> affected;  // rows touched, one per statement
};

// A step of a module's schema. Versions of a module count from 1 without holes; the text of a
// version that was released never changes.
struct Migration {
  std::string module;
  int version = 1;
  std::string sql;  // statements separated by ';'
};

class Database {
 public:
  virtual ~Database() = default;

  // Brings the schema to the newest of the given versions, all steps in one transaction; nothing to
  // do is fine. Call once at start with the migrations of all modules. FailedPrecondition when the
  // database is newer than the program, DataLoss when an applied step's text differs from ours.
  virtual Task<Result<>> migrate(std::vector<Migration> migrations, WallTime now) = 0;

  virtual Task<Result<UnitResult>> execute(Unit unit) = 0;
  Task<Result<Rows>> query(Query query);  // a snapshot of one
  // Several queries that see one and the same state.
  virtual Task<Result<std::vector<Rows>>> snapshot(std::vector<Query> queries) = 0;
};

}  // namespace weft
