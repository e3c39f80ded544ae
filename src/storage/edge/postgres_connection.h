// One session with a PostgreSQL server: prepared statements kept by text and parameter types,
// binary values, SQLSTATEs as our codes. The only file that includes libpq-fe.h. One thread at a
// time; every call blocks, but no longer than a named time without a byte from the server.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "storage/database.h"
#include "storage/edge/sqlite_connection.h"

namespace weft::storage {

using PostgresParameters = std::vector<std::pair<std::string, std::string>>;

class PostgresConnection {
 public:
  // `parameters` are libpq's keywords. Tries the hosts in turn for one that takes writes.
  static Result<PostgresConnection> open(const PostgresParameters& parameters, ConnectionUse use,
                                         std::chrono::milliseconds reply_timeout);
  PostgresConnection(PostgresConnection&&) noexcept;
  PostgresConnection& operator=(PostgresConnection&&) noexcept;
  ~PostgresConnection();

  // One statement; the number of rows that it inserted, changed or deleted.
  Result<std::int64_t> execute(std::string_view sql, const SqlParameters& parameters = {});
  // One statement that only reads. The session ends when there are more rows.
  Result<Rows> query(std::string_view sql, const SqlParameters& parameters, std::size_t rows_max);
  // Any number of statements without parameters, in the server's own words.
  Result<> run_script(const std::string& sql);

  bool in_transaction() const;
  // Does nothing without an open transaction.
  void roll_back();
  // The last statement gave way to another writer (deadlock, serialization): its whole transaction
  // can be tried again.
  bool gave_way() const;
  // False once the session is lost; only a new one helps.
  bool is_alive() const;

 private:
  struct Parts;
  explicit PostgresConnection(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace weft::storage
