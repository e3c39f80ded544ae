// The embedded state database: one SQLite file in WAL mode, synchronous=FULL (a commit is
// fdatasynced before its units are answered). Format: docs/formats/state-database.md.
//
// One writer thread takes everything that queued and commits it as one transaction, each unit in a
// savepoint of its own; a small pool of readers sees the last commit. Waits and limits are in
// SqliteOptions. A second process may read the file; a second writer waits busy_timeout, then
// Unavailable.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "runtime/disk.h"
#include "runtime/metrics.h"
#include "storage/database.h"

namespace weft {

struct SqliteOptions {
  explicit SqliteOptions(std::string file_path) : path(std::move(file_path)) {}

  std::string path;  // created with mode 0600 when missing; its folder must exist
  std::size_t readers = 2;
  std::size_t units_queued_max = 10'000;
  std::size_t units_per_commit_max = 256;
  std::size_t queries_queued_max = 10'000;
  std::size_t rows_max = 1'000'000;  // of one query; more is ResourceExhausted
  std::chrono::milliseconds busy_timeout{5000};
};

class SqliteDatabase final : public Database {
 public:
  static Task<Result<std::unique_ptr<SqliteDatabase>>> open(FileSystem& files, Metrics& metrics,
                                                            SqliteOptions options);
  // Finishes the accepted units. Requires: no call is made any more.
  ~SqliteDatabase() override;

  Task<Result<>> migrate(std::vector<Migration> migrations, WallTime now) override;
  Task<Result<UnitResult>> execute(Unit unit) override;
  Task<Result<std::vector<Rows>>> snapshot(std::vector<Query> queries) override;

  // A copy of the last commit in a new file, compact and durable; the database stays in use.
  // AlreadyExists when there is a file.
  Task<Result<>> copy_to(FileSystem& files, std::string path);

 private:
  struct State;
  explicit SqliteDatabase(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Whether a database file that nobody has open is whole (PRAGMA integrity_check); DataLoss says
// what is not. The calling thread blocks.
Result<> check_sqlite_file(const std::string& path);

}  // namespace weft
