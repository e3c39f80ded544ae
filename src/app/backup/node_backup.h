// A backup of the running node, taken by the node itself while it serves: the state database first,
// then the log as of one position, so that everything the database knows of is in the log. Any
// loop; one backup at a time.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "app/backup/backup_list.h"
#include "eventlog/embedded/embedded_log.h"
#include "runtime/disk.h"
#include "runtime/loops.h"
#include "runtime/random.h"
#include "storage/sqlite_database.h"

namespace weft::app {

struct BackupRequest {
  BackupRequest(std::string to, std::optional<std::string> words)
      : folder(std::move(to)), passphrase(std::move(words)) {}
  std::string folder;                     // absolute; must not exist, or be empty
  std::optional<std::string> passphrase;  // absent: without the keys
};

class NodeBackup {
 public:
  // `database` is null when the state is on a server, which has backups of its own. `history`: of
  // the archive, empty without one.
  NodeBackup(eventlog::EmbeddedLog& log, SqliteDatabase* database, FileSystem& files,
             Random& random, std::string data_folder, std::string history);

  // What is in the folder when it returns; it is synced. After a failure the folder is empty.
  // InvalidArgument: the folder or the passphrase. Conflict: another backup is being taken.
  Task<Result<BackupList>> take(BackupRequest request);

 private:
  Task<Result<BackupList>> take_alone(const BackupRequest& request);
  Task<Result<BackupList>> fill(const BackupRequest& request);
  Task<Result<>> copy_log(const eventlog::LogCopy& copy, const std::string& folder,
                          BackupList& list);
  Result<BackupFile> copy_keys(const BackupRequest& request);

  eventlog::EmbeddedLog& log_;
  SqliteDatabase* database_;
  FileSystem& files_;
  Random& random_;
  std::string data_folder_;
  std::string history_;
  std::atomic<bool> is_running_{false};
  BlockingPool pool_;
};

}  // namespace weft::app
