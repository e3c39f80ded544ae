// Copies and reads of files with their SHA-256. All calls block their thread.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "app/backup/backup_list.h"
#include "base/result.h"

namespace weft::app {

// The first `bytes` of a file into a new one, made with its folders, readable by its owner alone,
// and synced. DataLoss when the source is shorter, AlreadyExists when there is a target.
Result<BackupFile> copy_file(const std::string& from, std::uint64_t bytes,
                             const std::string& folder, std::string name);
// The same of a text.
Result<BackupFile> write_new_file(std::string_view content, const std::string& folder,
                                  std::string name);
// A new content for folder/name: there as a whole or not at all, and durable.
Result<> replace_file(std::string_view content, const std::string& folder, const std::string& name);
// Replaces `to`. The name is durable after sync_folder().
Result<> rename_file(const std::string& from, const std::string& to);
// Fine when there is none.
Result<> remove_file(const std::string& path);
// Of names whose file is not finished; one that a crash left is written over.
inline constexpr std::string_view kUnfinished = ".part";
// A file, or its first bytes, as it is; the name is the caller's to set. NotFound when there is
// none.
Result<BackupFile> describe_file(
    const std::string& path, std::uint64_t bytes_max = std::numeric_limits<std::uint64_t>::max());
// A small file. NotFound; ResourceExhausted above 64 MiB.
Result<std::string> read_text(const std::string& path);
// With the folders above it, each open to its owner alone and its name durable; fine when it is
// there.
Result<> make_folder(const std::string& folder);
// Makes the names in a folder durable.
Result<> sync_folder(const std::string& folder);
// Makes the names below a folder durable.
Result<> sync_folders(const std::string& folder);

}  // namespace weft::app
