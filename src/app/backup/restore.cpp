#include "app/backup/restore.h"

#include <algorithm>
#include <filesystem>

#include "app/backup/file_copy.h"
#include "app/node/data_format.h"
#include "runtime/run_until_done.h"
#include "storage/sqlite_database.h"

namespace weft::app {
namespace {

constexpr std::uint64_t kListBytesMax = 64 * 1024 * 1024;

template <class T>
T run(Task<T> task) {
  IoContext loop;
  return run_until_done(loop, std::move(task));
}

Result<std::string> read_text(const std::string& path) {
  PosixFileSystem files;
  return run(read_file(files, path, kListBytesMax));
}

void check_files(const std::string& folder, BackupReport& report) {
  for (const auto& file : report.list.files) {
    auto found = describe_file(folder, file.name);
    if (!found) {
      report.problems.push_back(found.error().message);
    } else if (found->bytes != file.bytes) {
      report.problems.push_back(fmt::format("{} has {} bytes instead of {}", file.name, found->bytes, file.bytes));
    } else if (found->sha256 != file.sha256) {
      report.problems.push_back(fmt::format("{} was changed: its SHA-256 differs", file.name));
    }
  }
}

bool is_new_or_empty(const std::string& folder) {
  std::error_code error;
  return !std::filesystem::exists(folder, error) ||
         (std::filesystem::is_directory(folder, error) && std::filesystem::is_empty(folder, error));
}

Result<> copy_all(const RestoreRequest& request, const BackupList& list, const std::string& into) {
  for (const auto& file : list.files) {
    if (file.name == kBackupKeysName) continue;
    auto from = (std::filesystem::path(request.backup) / file.name).string();
    TRY(auto copied, copy_file(from, file.bytes, into, file.name));
    if (copied.sha256 != file.sha256) return fail(ErrorCode::DataLoss, "{} changed while it was read", from);
  }
  return {};
}

Result<> restore_keys(const RestoreRequest& request, const BackupList& list, const std::string& into) {
  if (request.without_keys) return {};
  if (!list.has_keys) {
    return fail(ErrorCode::FailedPrecondition,
                "this backup holds no keys: put the old identity.key into the data folder afterwards and restore with "
                "--without-keys, or API keys that were handed out end to work");
  }
  if (!request.passphrase) {
    return fail(ErrorCode::InvalidArgument, "the keys of this backup need its passphrase (--passphrase-file), or "
                                            "--without-keys");
  }
  TRY(auto sealed, read_text((std::filesystem::path(request.backup) / kBackupKeysName).string()));
  TRY(auto secrets, open_keys(sealed, *request.passphrase));
  for (const auto& [name, secret] : secrets) {
    if (name.contains('/')) return fail(ErrorCode::DataLoss, "{} names a file outside of the data folder", kBackupKeysName);
    CHECK(write_new_file(secret, into, name));
  }
  return {};
}

Result<> fill_folder(const RestoreRequest& request, const BackupList& list, const std::string& into) {
  CHECK(copy_all(request, list, into));
  CHECK(restore_keys(request, list, into));
  CHECK(write_new_file(kDataFormat, into, std::string(kDataFormatFile)));
  return sync_folders(into);
}

}  // namespace

Result<BackupReport> verify_backup(const std::string& folder) {
  BackupReport report;
  TRY(auto text, read_text((std::filesystem::path(folder) / kBackupListName).string()));
  TRY(report.list, parse_backup_list(text));
  check_files(folder, report);
  PosixFileSystem files;
  auto log = run(eventlog::check_log_files(files, folder + "/log"));
  if (log) {
    report.log = std::move(*log);
    for (const auto& damage : report.log.damage) report.problems.push_back("log/" + damage);
  } else {
    report.problems.push_back("log: " + log.error().message);
  }
  if (std::ranges::find(report.list.files, kStateName, &BackupFile::name) != report.list.files.end()) {
    auto whole = check_sqlite_file((std::filesystem::path(folder) / kStateName).string());
    if (!whole) report.problems.push_back(whole.error().message);
  }
  return report;
}

Result<BackupReport> restore_backup(const RestoreRequest& request) {
  if (!is_new_or_empty(request.data_folder)) {
    return fail(ErrorCode::AlreadyExists, "{} is there already: move it away, a restore never writes over data",
                request.data_folder);
  }
  TRY(auto report, verify_backup(request.backup));
  if (!report.problems.empty()) return report;
  auto beside = std::filesystem::path(request.data_folder).lexically_normal();
  if (!beside.has_filename()) beside = beside.parent_path();
  auto into = beside.string() + ".restoring";
  std::error_code error;
  if (std::filesystem::exists(into, error)) {
    return fail(ErrorCode::AlreadyExists, "{} is left over from a restore that was cut off: remove it", into);
  }
  auto filled = fill_folder(request, report.list, into);
  if (filled) {
    std::filesystem::remove(beside, error);  // the empty one
    std::filesystem::rename(into, beside, error);
    if (error) filled = fail(ErrorCode::IoError, "cannot rename {} to {}: {}", into, beside.string(), error.message());
  }
  if (filled) return report;
  std::filesystem::remove_all(into, error);
  return std::unexpected(std::move(filled).error());
}

}  // namespace weft::app
