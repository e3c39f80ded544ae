#include "app/backup/node_backup.h"

#include <filesystem>

#include "app/backup/file_copy.h"
#include "app/version.h"
#include "runtime/log.h"

namespace weft::app {
namespace {

struct Running {
  std::atomic<bool>& flag;
  ~Running() { flag = false; }
};

// Made here when it does not exist; whatever is in one that does is not ours to overwrite.
Result<> prepare_folder(const std::string& folder) {
  if (!folder.starts_with('/')) {
    return fail(ErrorCode::InvalidArgument, "the folder of a backup is an absolute path, not '{}'",
                folder);
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(ErrorCode::InvalidArgument, "cannot make {}: {}", folder, error.message());
  bool is_empty = std::filesystem::is_empty(folder, error);
  if (error || !is_empty) {
    return fail(ErrorCode::InvalidArgument,
                "{} is not an empty folder: name a new one for each backup", folder);
  }
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  return {};
}

Result<> clear_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::directory_iterator at(folder, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    std::filesystem::remove_all(at->path(), error);
    if (error) break;
  }
  if (error) return fail(ErrorCode::IoError, "cannot clear {}: {}", folder, error.message());
  return {};
}

}  // namespace

NodeBackup::NodeBackup(eventlog::EmbeddedLog& log, SqliteDatabase* database, FileSystem& files,
                       Random& random, std::string data_folder, std::string history)
    : log_(log),
      database_(database),
      files_(files),
      random_(random),
      data_folder_(std::move(data_folder)),
      history_(std::move(history)),
      pool_("backup", 1, 16) {}

Task<Result<BackupList>> NodeBackup::take(BackupRequest request) {
  // Before anything is touched: the folder of a backup that runs is not another one's to clear.
  if (is_running_.exchange(true))
    co_return fail(ErrorCode::Conflict, "another backup is being taken");
  Running running{is_running_};
  co_return co_await take_alone(request);
}

Task<Result<BackupList>> NodeBackup::take_alone(const BackupRequest& request) {
  std::function<Result<>()> prepare = [&] { return prepare_folder(request.folder); };
  CO_CHECK(co_await pool_.run<void>(std::move(prepare)));
  auto list = co_await fill(request);
  if (list) co_return list;
  log_error("node", "the backup failed",
            {{"folder", request.folder}, {"error", list.error().message}});
  std::function<Result<>()> clear = [&] { return clear_folder(request.folder); };
  auto cleared = co_await pool_.run<void>(std::move(clear));
  if (!cleared)
    log_error("node", "what it left cannot be removed", {{"error", cleared.error().message}});
  co_return list;
}

Task<Result<BackupList>> NodeBackup::fill(const BackupRequest& request) {
  BackupList list;
  list.weft_version = kVersion;
  list.history = history_;
  if (database_ != nullptr) {
    CO_CHECK(co_await database_->copy_to(files_, fmt::format("{}/{}", request.folder, kStateName)));
  }
  if (request.passphrase) {
    std::function<Result<BackupFile>()> keys = [&] { return copy_keys(request); };
    CO_TRY(auto copied, co_await pool_.run<BackupFile>(std::move(keys)));
    list.files.push_back(std::move(copied));
    list.has_keys = true;
  }
  CO_TRY(auto copy, co_await log_.begin_copy());
  auto copied = co_await copy_log(copy, request.folder, list);
  auto ended = co_await log_.end_copy();
  CO_CHECK(std::move(copied));
  CO_CHECK(std::move(ended));
  list.taken = copy.taken;
  list.log_position = copy.position;
  std::function<Result<>()> finish = [&]() -> Result<> {
    if (database_ != nullptr) {
      TRY(auto state, describe_file(fmt::format("{}/{}", request.folder, kStateName)));
      state.name = kStateName;
      list.files.push_back(std::move(state));
    }
    CHECK(write_new_file(backup_list_json(list), request.folder, std::string(kBackupListName)));
    return sync_folders(request.folder);
  };
  CO_CHECK(co_await pool_.run<void>(std::move(finish)));
  log_info("node", "backup taken",
           {{"folder", request.folder}, {"files", list.files.size()}, {"bytes", list.bytes()}});
  co_return list;
}

Task<Result<>> NodeBackup::copy_log(const eventlog::LogCopy& copy, const std::string& folder,
                                    BackupList& list) {
  std::function<Result<>()> work = [&]() -> Result<> {
    TRY(auto manifest, write_new_file(copy.manifest, folder, "log/MANIFEST"));
    list.files.push_back(std::move(manifest));
    for (const auto& piece : copy.pieces) {
      auto from = fmt::format("{}/log/{}", data_folder_, piece.name);
      TRY(auto copied, copy_file(from, piece.bytes, folder, "log/" + piece.name));
      list.files.push_back(std::move(copied));
    }
    return {};
  };
  co_return co_await pool_.run<void>(std::move(work));
}

Result<BackupFile> NodeBackup::copy_keys(const BackupRequest& request) {
  NamedSecrets secrets;
  for (const auto* name : {"identity.key", "admin-token"}) {
    TRY(auto secret, read_text(fmt::format("{}/{}", data_folder_, name)));
    secrets.emplace_back(name, std::move(secret));
  }
  TRY(auto sealed, seal_keys(secrets, *request.passphrase, random_.bytes(kSealRandomBytes)));
  return write_new_file(sealed, request.folder, std::string(kBackupKeysName));
}

}  // namespace weft::app
