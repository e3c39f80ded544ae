// Checks a backup, and makes a data folder of one. For command-line verbs: all calls block.
#pragma once

#include <optional>
#include <string>

#include "app/backup/backup_list.h"
#include "eventlog/embedded/log_check.h"

namespace weft::app {

struct BackupReport {
  BackupList list;
  eventlog::LogCheck log;
  std::vector<std::string> problems;  // what is wrong with which file; empty: the backup can be restored
};

// Reads every byte: sizes and SHA-256 against the list, the log's own checksums, SQLite's integrity
// check. An error only where there is no list to check against.
Result<BackupReport> verify_backup(const std::string& folder);

struct RestoreRequest {
  std::string backup;
  std::string data_folder;                // must not exist, or be empty
  std::optional<std::string> passphrase;  // of the keys
  bool without_keys = false;              // new ones are made: API keys that were handed out end to work
};

// The backup is verified first; the data folder appears whole or not at all.
Result<BackupReport> restore_backup(const RestoreRequest& request);

}  // namespace weft::app
