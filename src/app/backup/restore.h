// Checks a backup, and makes a data folder of one. For command-line verbs: all calls block.
#pragma once

#include <optional>
#include <string>

#include "app/backup/backup_list.h"
#include "app/backup/point_in_time.h"
#include "eventlog/embedded/log_check.h"

namespace weft::app {

struct BackupReport {
  BackupList list;
  eventlog::LogCheck log;
  std::vector<std::string>
      problems;  // what is wrong with which file; empty: the backup can be restored
  std::optional<ArchiveReport> archive;  // when it was asked for
  std::optional<ArchivePlan> restored;   // to a moment after the backup
};

// Reads every byte: sizes and SHA-256 against the list, the log's own checksums, SQLite's integrity
// check; of an archive what follows the backup (empty: none). An error only where there is no list
// to check against.
Result<BackupReport> verify_backup(const std::string& folder, const std::string& archive = {});

struct RestoreRequest {
  std::string backup;
  std::string data_folder;                // must not exist, or be empty
  std::optional<std::string> passphrase;  // of the keys
  bool without_keys = false;     // new ones are made: API keys that were handed out end to work
  std::string archive;           // with `moment`
  std::optional<Moment> moment;  // absent: that of the backup
};

// The backup is verified first; the data folder appears whole or not at all.
Result<BackupReport> restore_backup(const RestoreRequest& request);

}  // namespace weft::app
