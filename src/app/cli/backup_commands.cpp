#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "app/backup/restore.h"
#include "app/cli/admin_client.h"
#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "base/json_writer.h"

namespace weft::app {
namespace {

// The node answers when everything is copied and on the medium.
constexpr Duration kBackupTimeout = std::chrono::hours(12);

// The first line of the file that --passphrase-file names; absent without the flag.
Result<std::optional<std::string>> read_passphrase(const Arguments& arguments) {
  auto path = arguments.get("passphrase-file");
  if (path.empty()) return std::nullopt;
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) {
    return fail(ErrorCode::InvalidArgument, "--passphrase-file: {} cannot be read, or is empty",
                path);
  }
  return line;
}

Result<std::string> only_folder(const Arguments& arguments) {
  if (arguments.positional().size() != 1) {
    return fail(ErrorCode::InvalidArgument, "name one folder");
  }
  return std::filesystem::absolute(arguments.positional()[0]).lexically_normal().string();
}

int take(const Arguments& arguments) {
  auto folder = only_folder(arguments);
  if (!folder) return report(folder.error());
  auto passphrase = read_passphrase(arguments);
  if (!passphrase) return report(passphrase.error());
  if (!*passphrase && !arguments.has("without-keys")) {
    return report(Error{
        ErrorCode::InvalidArgument,
        "--passphrase-file FILE seals the node's keys into the backup; --without-keys leaves them out"});
  }
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  client->set_timeout(kBackupTimeout);
  JsonWriter body;
  body.object().member("folder", *folder);
  if (*passphrase) body.member("passphrase", **passphrase);
  body.end();
  auto answer = client->expect("POST", "/backups", body.text());
  if (!answer) return report(answer.error());
  const auto& root = answer->json.root();
  return show(arguments, root,
              {{"FOLDER", "/folder"},
               {"TAKEN", "/takenAt"},
               {"FILES", "/files"},
               {"BYTES", "/bytes"},
               {"KEYS", "/keys"}},
              {root});
}

void write_archive(JsonWriter& out, const ArchiveReport& archive) {
  out.key("archive")
      .object()
      .member("walFiles", archive.wal_files)
      .member("states", archive.states)
      .member("bytes", archive.bytes)
      .member("position", archive.position);
  if (archive.time) out.member("reaches", to_rfc3339(*archive.time));
  out.end();
}

// The cut: what clients can compare with what they know.
void write_restored(JsonWriter& out, const ArchivePlan& plan) {
  out.key("restored")
      .object()
      .member("walFiles", plan.files.size())
      .member("position", plan.position);
  if (plan.time) out.member("lastCommit", to_rfc3339(*plan.time));
  if (plan.state) out.member("stateTakenAt", to_rfc3339(plan.state->taken));
  out.end();
}

std::vector<Column> report_columns(const BackupReport& found) {
  std::vector<Column> columns{
      {"TAKEN", "/takenAt"},          {"FILES", "/files"},       {"BYTES", "/bytes"},
      {"STREAMS", "/streams"},        {"SEGMENTS", "/segments"}, {"RECORDS PLACED", "/records"},
      {"WAL ENTRIES", "/walEntries"}, {"KEYS", "/keys"}};
  if (found.archive) {
    columns.push_back({"ARCHIVED", "/archive/walFiles"});
    columns.push_back({"REACHES", "/archive/reaches"});
  }
  if (found.restored) {
    columns.push_back({"POSITION", "/restored/position"});
    columns.push_back({"LAST COMMIT", "/restored/lastCommit"});
    columns.push_back({"STATE", "/restored/stateTakenAt"});
  }
  return columns;
}

// What was found, as a table or as -o asks; the exit status says whether the backup is good.
int show_report(const Arguments& arguments, const BackupReport& found) {
  JsonWriter out;
  out.object()
      .member("takenAt", to_rfc3339(found.list.taken))
      .member("weft", found.list.weft_version)
      .member("files", found.list.files.size())
      .member("bytes", found.list.bytes())
      .member("streams", found.log.streams)
      .member("segments", found.log.segments)
      .member("batches", found.log.batches)
      .member("records", found.log.records)
      .member("walFiles", found.log.wal_files)
      .member("walEntries", found.log.entries)
      .member("keys", found.list.has_keys);
  if (found.archive) write_archive(out, *found.archive);
  if (found.restored) write_restored(out, *found.restored);
  out.key("problems").array();
  for (const auto& problem : found.problems) out.value(problem);
  out.end().end();
  auto document = JsonDocument::parse(std::move(out).text());
  ENSURE(document.has_value(), "a report is JSON");
  int status = show(arguments, document->root(), report_columns(found), {document->root()});
  for (const auto& problem : found.problems) fmt::print(stderr, "weft: {}\n", problem);
  return found.problems.empty() ? status : 1;
}

int verify(const Arguments& arguments) {
  auto folder = only_folder(arguments);
  if (!folder) return report(folder.error());
  auto found = verify_backup(*folder, arguments.get("archive"));
  if (!found) return report(found.error());
  return show_report(arguments, *found);
}

int restore(const Arguments& arguments) {
  auto folder = only_folder(arguments);
  if (!folder) return report(folder.error());
  RestoreRequest request;
  request.backup = *folder;
  request.data_folder = arguments.get("data");
  request.without_keys = arguments.has("without-keys");
  request.archive = arguments.get("archive");
  if (arguments.has("archive") != arguments.has("to")) {
    return report(
        Error{ErrorCode::InvalidArgument, "--archive FOLDER and --to MOMENT go together"});
  }
  if (arguments.has("to")) {
    auto moment = parse_moment(arguments.get("to"));
    if (!moment) return report(moment.error());
    request.moment = *moment;
  }
  auto passphrase = read_passphrase(arguments);
  if (!passphrase) return report(passphrase.error());
  request.passphrase = std::move(*passphrase);
  auto restored = restore_backup(request);
  if (!restored) return report(restored.error());
  return show_report(arguments, *restored);
}

}  // namespace

std::vector<Command> backup_commands() {
  FlagSpec form{"output", "table|json|yaml", "form of the answer, also -o", "table", false};
  FlagSpec passphrase{"passphrase-file", "FILE", "its first line seals the keys, or opens them", "",
                      false};
  FlagSpec archive{"archive", "FOLDER", "the node's backup.archive", "", false};
  auto take_flags = client_flags();
  take_flags.push_back(passphrase);
  take_flags.push_back({"without-keys", "", "leave identity.key and admin-token out", "", false});
  return {
      {"backup", "Copies a running node into a folder of its machine", "<folder>", take_flags,
       take},
      {"backup verify",
       "Reads a backup and checks every checksum",
       "<folder>",
       {form, archive},
       verify},
      {"restore",
       "Makes a data folder of a backup",
       "<folder>",
       {{"data", "FOLDER", "the data folder to make", "weft-data", false},
        form,
        passphrase,
        archive,
        {"to", "TIME|POSITION|end",
         "the moment to restore to; everything that was answered before it is there", "", false},
        {"without-keys", "",
         "make new keys at the next start; API keys that were handed out end to work", "", false}},
       restore},
  };
}

}  // namespace weft::app
