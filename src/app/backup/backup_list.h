// What a backup is: a folder with copies of a node's files and this list of them, backup.json,
// written last. Format: docs/formats/backup.md. Values; any thread.
//
//   backup.json          the list: who, when, what, each file's size and SHA-256
//   log/MANIFEST …       the event log as of one position
//   state.db             the state database, copied before the log
//   keys.json            identity.key and admin-token, sealed under a passphrase
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace weft::app {

inline constexpr std::string_view kBackupListName = "backup.json";
inline constexpr std::string_view kBackupKeysName = "keys.json";
inline constexpr std::string_view kStateName = "state.db";

struct BackupFile {
  std::string name;  // within the backup's folder; no "..", not absolute
  std::uint64_t bytes = 0;
  std::string sha256;  // 64 hex digits
};

struct BackupList {
  std::string weft_version;
  WallTime taken{};                // the log's moment
  std::uint64_t log_position = 0;  // everything before it is in the backup
  bool has_keys = false;
  std::string history;  // of the archive; empty: the node had none
  std::vector<BackupFile> files;

  std::uint64_t bytes() const;
};

inline constexpr std::size_t kHistoryHexDigits = 16;
bool is_history(std::string_view name);
std::string backup_list_json(const BackupList& list);
// DataLoss when it is not a backup's list, FailedPrecondition when a newer version wrote it.
Result<BackupList> parse_backup_list(std::string_view json);

// A file's bytes under a passphrase: scrypt and AES-256-GCM. `named` are file names and contents.
using NamedSecrets = std::vector<std::pair<std::string, std::string>>;
Result<std::string> seal_keys(const NamedSecrets& secrets, std::string_view passphrase,
                              std::string_view random_bytes);
// PermissionDenied for another passphrase.
Result<NamedSecrets> open_keys(std::string_view json, std::string_view passphrase);
inline constexpr std::size_t kSealRandomBytes = 28;  // salt and nonce
inline constexpr std::size_t kPassphraseBytesMin = 12;

}  // namespace weft::app
