// A node's archive: takes the log's sealed write-ahead files and, when something was changed and
// audited, a copy of the state database, so that a backup can be restored to a moment after it
// (docs/backup.md). keep(): the log's background loop. run(): any one loop.
#pragma once

#include <optional>
#include <string>

#include "app/backup/archive_files.h"
#include "eventlog/embedded/wal_archive.h"
#include "runtime/clock.h"
#include "runtime/disk.h"
#include "runtime/loops.h"
#include "runtime/metrics.h"
#include "runtime/random.h"
#include "storage/sqlite_database.h"

namespace weft::app {

struct ArchiveOptions {
  std::string folder;  // absolute; each history has a folder of its own in it
  std::string data_folder;
  Duration keep{};            // older files are removed; zero: never
  Duration state_interval{};  // between two looks at the state database
};

class LogArchive final : public eventlog::WalArchive {
 public:
  // Gives the data folder a history if it has none. InvalidArgument: the folder. An archive that
  // cannot be written to at the moment is no failure: files wait. `database` is null when the state
  // is on a server, which has archives of its own.
  static Result<std::unique_ptr<LogArchive>> open(ArchiveOptions options, SqliteDatabase* database,
                                                  FileSystem& files, Clock& clock, Random& random,
                                                  Metrics& metrics);

  // AlreadyExists when there is another file of that name: two nodes write one history.
  Task<Result<>> keep(eventlog::WalToKeep file) override;
  // Copies the state database when it has changed, and removes what is too old, until it is
  // cancelled.
  Task<void> run();
  const std::string& history() const { return history_; }

 private:
  LogArchive(ArchiveOptions options, std::string history, SqliteDatabase* database,
             FileSystem& files, Clock& clock, Metrics& metrics);

  Result<> keep_now(const eventlog::WalToKeep& file);
  Task<Result<>> keep_state();
  Result<> remove_old(WallTime now);

  ArchiveOptions options_;
  std::string history_;
  std::string folder_;  // of the history
  SqliteDatabase* database_;
  FileSystem& files_;
  Clock& clock_;
  Counter& failures_;
  std::optional<std::int64_t> audited_;  // entries of the audit trail in the newest copy
  BlockingPool pool_;
};

// The history's name in a data folder; absent when nothing was ever archived of it.
Result<std::optional<std::string>> read_history(const std::string& data_folder);

}  // namespace weft::app
