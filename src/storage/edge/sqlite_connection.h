// One connection to a SQLite file: prepared statements kept by their text, $n parameters, SQLite's
// codes as ours. The only file that includes sqlite3.h. One thread at a time; every call blocks.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "storage/database.h"

struct sqlite3;
struct sqlite3_stmt;

namespace weft::storage {

enum class ConnectionUse : std::uint8_t { Write, Read };

class SqliteConnection {
 public:
  static Result<SqliteConnection> open(const std::string& path, ConnectionUse use,
                                       std::chrono::milliseconds busy_timeout);
  SqliteConnection(SqliteConnection&&) noexcept;
  SqliteConnection& operator=(SqliteConnection&&) noexcept;
  ~SqliteConnection();

  // One statement; the number of rows that it inserted, changed or deleted.
  Result<std::int64_t> execute(std::string_view sql, const SqlParameters& parameters = {});
  // One statement that only reads.
  Result<Rows> query(std::string_view sql, const SqlParameters& parameters, std::size_t rows_max);
  // Any number of statements without parameters.
  Result<> run_script(const std::string& sql);

  // False also after SQLite gave up a transaction by itself (disk full, I/O error).
  bool in_transaction() const;
  // Does nothing without an open transaction.
  void roll_back();

 private:
  struct Parts;
  explicit SqliteConnection(std::unique_ptr<Parts> parts);

  Result<sqlite3_stmt*> prepare(std::string_view sql, const SqlParameters& parameters);
  Error failure(int code, std::string_view sql) const;

  std::unique_ptr<Parts> parts_;
};

}  // namespace weft::storage
