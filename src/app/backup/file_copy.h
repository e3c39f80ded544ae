// Copies and reads of whole files with their SHA-256. All calls block their thread.
#pragma once

#include <cstdint>
#include <string>

#include "app/backup/backup_list.h"
#include "base/result.h"

namespace weft::app {

// The first `bytes` of a file into a new one, made with its folders, readable by its owner alone, and
// synced. DataLoss when the source is shorter, AlreadyExists when there is a target.
Result<BackupFile> copy_file(const std::string& from, std::uint64_t bytes, const std::string& folder,
                             std::string name);
// The same of a text.
Result<BackupFile> write_new_file(std::string_view content, const std::string& folder, std::string name);
// A file as it is. NotFound when there is none.
Result<BackupFile> describe_file(const std::string& folder, std::string name);
// Makes the names below a folder durable.
Result<> sync_folders(const std::string& folder);

}  // namespace weft::app
