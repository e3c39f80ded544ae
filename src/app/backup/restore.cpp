#include "app/backup/restore.h"

#include <algorithm>
#include <filesystem>

#include "app/backup/data_upgrade.h"
#include "app/backup/file_copy.h"
#include "runtime/run_until_done.h"
#include "storage/sqlite_database.h"

namespace weft::app {
namespace {

void check_files(const std::string& folder, BackupReport& report) {
  for (const auto& file : report.list.files) {
    auto found = describe_file((std::filesystem::path(folder) / file.name).string());
    if (!found) {
      report.problems.push_back(found.error().message);
    } else if (found->bytes != file.bytes) {
      report.problems.push_back(
          fmt::format("{} has {} bytes instead of {}", file.name, found->bytes, file.bytes));
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

Failure is_there(const std::string& folder) {
  return fail(ErrorCode::AlreadyExists,
              "{} is there already: move it away, a restore never writes over data", folder);
}

Result<> copy_all(const RestoreRequest& request, const BackupReport& report,
                  const std::string& into) {
  for (const auto& file : report.list.files) {
    if (file.name == kBackupKeysName ||
        (report.restored && is_replaced(*report.restored, file.name)))
      continue;
    auto from = (std::filesystem::path(request.backup) / file.name).string();
    TRY(auto copied, copy_file(from, file.bytes, into, file.name));
    if (copied.sha256 != file.sha256)
      return fail(ErrorCode::DataLoss, "{} changed while it was read", from);
  }
  return {};
}

Result<> restore_keys(const RestoreRequest& request, const BackupList& list,
                      const std::string& into) {
  if (request.without_keys) return {};
  if (!list.has_keys) {
    return fail(
        ErrorCode::FailedPrecondition,
        "this backup holds no keys: put the old identity.key into the data folder afterwards and restore with "
        "--without-keys, or API keys that were handed out end to work");
  }
  if (!request.passphrase) {
    return fail(ErrorCode::InvalidArgument,
                "the keys of this backup need its passphrase (--passphrase-file), or "
                "--without-keys");
  }
  TRY(auto sealed, read_text((std::filesystem::path(request.backup) / kBackupKeysName).string()));
  TRY(auto secrets, open_keys(sealed, *request.passphrase));
  for (const auto& [name, secret] : secrets) {
    if (name.contains('/'))
      return fail(ErrorCode::DataLoss, "{} names a file outside of the data folder",
                  kBackupKeysName);
    CHECK(write_new_file(secret, into, name));
  }
  return {};
}

Result<> fill_folder(const RestoreRequest& request, const BackupReport& report,
                     const std::string& into) {
  CHECK(copy_all(request, report, into));
  if (report.restored) CHECK(lay_archive(*report.restored, into));
  CHECK(restore_keys(request, report.list, into));
  CHECK(write_new_file(data_format_text(), into, std::string(kDataFormatFile)));
  return sync_folders(into);
}

// The finished folder instead of the empty one, or of none.
Result<> take_place(const std::string& from, const std::filesystem::path& target) {
  auto renamed = rename_file(from, target.string());
  if (!renamed && !is_new_or_empty(target.string())) return is_there(target.string());
  CHECK(std::move(renamed));
  return sync_folder(target.parent_path().string());
}

}  // namespace

Result<BackupReport> verify_backup(const std::string& folder, const std::string& archive) {
  BackupReport report;
  TRY(auto text, read_text((std::filesystem::path(folder) / kBackupListName).string()));
  TRY(report.list, parse_backup_list(text));
  check_files(folder, report);
  PosixFileSystem files;
  auto log = run_until_done(eventlog::check_log_files(files, folder + "/log"));
  if (log) {
    report.log = std::move(*log);
    for (const auto& damage : report.log.damage) report.problems.push_back("log/" + damage);
  } else {
    report.problems.push_back("log: " + log.error().message);
  }
  if (std::ranges::find(report.list.files, kStateName, &BackupFile::name) !=
      report.list.files.end()) {
    auto whole = check_sqlite_file((std::filesystem::path(folder) / kStateName).string());
    if (!whole) report.problems.push_back(whole.error().message);
  }
  if (archive.empty()) return report;
  auto archived = verify_archive(archive, folder, report.list);
  if (archived) {
    std::ranges::copy(archived->problems, std::back_inserter(report.problems));
    report.archive = std::move(*archived);
  } else {
    report.problems.push_back("archive: " + archived.error().message);
  }
  return report;
}

Result<BackupReport> restore_backup(const RestoreRequest& request) {
  if (!is_new_or_empty(request.data_folder)) {
    return is_there(request.data_folder);
  }
  TRY(auto report, verify_backup(request.backup));
  if (!report.problems.empty()) return report;
  if (request.moment) {
    TRY(report.restored,
        plan_restore(request.archive, request.backup, report.list, *request.moment));
  }
  auto target = std::filesystem::absolute(request.data_folder).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  auto into = target.string() + ".restoring";
  CHECK(make_folder(target.parent_path().string()));
  // Whoever makes it restores; its files are nobody else's to remove.
  std::error_code error;
  if (!std::filesystem::create_directory(into, error)) {
    if (error) return fail(ErrorCode::IoError, "cannot make {}: {}", into, error.message());
    return fail(ErrorCode::AlreadyExists,
                "{} is there: another restore runs, or one was cut off; remove it when none does",
                into);
  }
  std::filesystem::permissions(into, std::filesystem::perms::owner_all, error);
  auto filled = fill_folder(request, report, into);
  if (filled) filled = take_place(into, target);
  if (filled) return report;
  std::filesystem::remove_all(into, error);
  return std::unexpected(std::move(filled).error());
}

}  // namespace weft::app
