#include "app/api/backup_routes.h"

#include "app/api/audited.h"
#include "identity/decisions.h"

namespace weft::app {
namespace {

Result<BackupRequest> read_request(std::string_view body) {
  auto document = JsonDocument::parse(std::string(body));
  if (!document) return std::unexpected(std::move(document).error());
  const auto* folder = document->root().find("folder");
  const auto* passphrase = document->root().find("passphrase");
  if (folder == nullptr || !folder->is_string()) {
    return fail(ErrorCode::InvalidArgument,
                "/folder: the absolute path of a new folder is required");
  }
  if (passphrase != nullptr && !passphrase->is_string()) {
    return fail(ErrorCode::InvalidArgument, "/passphrase: must be a text");
  }
  std::optional<std::string> words;
  if (passphrase != nullptr) words = passphrase->as_string();
  return BackupRequest(std::string(folder->as_string()), std::move(words));
}

Task<Result<http::Response>> take_backup(BackupRoutesParts& parts, ApiCall& call) {
  if (parts.backup == nullptr) {
    co_return fail(ErrorCode::Unsupported,
                   "the records are in a Kafka cluster and the state in its database: back those "
                   "up, this node holds nothing else");
  }
  CO_TRY(auto request, read_request(call.body));
  auto folder = request.folder;
  CO_TRY(auto list, co_await parts.backup->take(std::move(request)));
  co_await note_in_audit(parts.audit, call, "backup.take", "Backup " + folder);
  JsonWriter out;
  out.object()
      .member("folder", folder)
      .member("takenAt", to_rfc3339(list.taken))
      .member("files", list.files.size())
      .member("bytes", list.bytes())
      .member("logPosition", list.log_position)
      .member("keys", list.has_keys)
      .end();
  co_return json_answer(std::move(out), 201);
}

}  // namespace

std::vector<ApiRoute> backup_routes(BackupRoutesParts& parts) {
  auto take = [&parts](ApiCall& call) { return take_backup(parts, call); };
  return {{"POST", "/backups", "takeBackup", identity::action::kAdminBackup, take, Reach::Node}};
}

}  // namespace weft::app
