#include "app/backup/log_archive.h"

#include <algorithm>
#include <filesystem>

#include "app/backup/backup_list.h"
#include "app/backup/file_copy.h"
#include "base/bytes.h"
#include "eventlog/embedded/wal_scan.h"
#include "runtime/crash_point.h"
#include "runtime/log.h"
#include "runtime/run_until_done.h"

namespace weft::app {
namespace {

CrashPoint after_copy("archive.after-copy");
CrashPoint after_note("archive.after-note");

constexpr std::string_view kAuditedEntries = "SELECT entries FROM audit_head WHERE id = 1";

// Beside the file, which then belongs to the archive.
Result<> write_note(const std::string& folder, const std::string& name, std::string_view json) {
  return replace_file(json, folder, name + ".json");
}

Result<> remove_archived(const std::string& folder, std::string_view kind, std::string_view name,
                         std::string_view ending) {
  auto path = archive_path(folder, kind, name);
  CHECK(remove_file(path + ".json"));  // first: what has no note does not count
  return remove_file(path + std::string(ending));
}

std::optional<WallTime> opt(std::optional<std::int64_t> unix_ms) {
  return unix_ms ? std::optional(from_unix_ms(*unix_ms)) : std::nullopt;
}

ArchivedWal note_of(const eventlog::WalScan& scan, const eventlog::WalToKeep& file,
                    const BackupFile& copied) {
  ArchivedWal note;
  note.sequence = file.sequence;
  note.bytes = copied.bytes;
  note.sha256 = copied.sha256;
  note.previous_end = scan.header.previous_end;
  note.first = scan.header.first_position;
  note.end = file.end;
  note.created = from_unix_ms(scan.header.created_ms);
  note.first_time = opt(scan.first_ms);
  note.last_time = opt(scan.last_ms);
  return note;
}

}  // namespace

Result<std::optional<std::string>> read_history(const std::string& data_folder) {
  auto path = fmt::format("{}/{}", data_folder, kHistoryFile);
  auto text = read_text(path);
  if (!text && text.error().code == ErrorCode::NotFound) return std::nullopt;
  if (!text) return std::unexpected(std::move(text).error());
  while (text->ends_with('\n')) text->pop_back();
  if (!is_history(*text)) {
    return fail(ErrorCode::DataLoss, "{} does not name a history: {} hex digits", path,
                kHistoryHexDigits);
  }
  return *text;
}

Result<std::unique_ptr<LogArchive>> LogArchive::open(ArchiveOptions options,
                                                     SqliteDatabase* database, FileSystem& files,
                                                     Clock& clock, Random& random,
                                                     Metrics& metrics) {
  if (!options.folder.starts_with('/')) {
    return fail(ErrorCode::InvalidArgument, "backup.archive is an absolute path, not '{}'",
                options.folder);
  }
  TRY(auto history, read_history(options.data_folder));
  if (!history) {
    history = to_hex(random.bytes(kHistoryHexDigits / 2));
    CHECK(replace_file(*history + "\n", options.data_folder, std::string(kHistoryFile)));
  }
  return std::unique_ptr<LogArchive>(
      new LogArchive(std::move(options), *std::move(history), database, files, clock, metrics));
}

LogArchive::LogArchive(ArchiveOptions options, std::string history, SqliteDatabase* database,
                       FileSystem& files, Clock& clock, Metrics& metrics)
    : options_(std::move(options)),
      history_(std::move(history)),
      folder_(options_.folder + "/" + history_),
      database_(database),
      files_(files),
      clock_(clock),
      failures_(metrics.counter(
          "weft_backup_archive_state_failures_total",
          "Failed attempts to archive the state database, or to remove what is too old.")),
      pool_("archive", 1, 16) {}

Task<Result<>> LogArchive::keep(eventlog::WalToKeep file) {
  std::function<Result<>()> work = [this, &file] { return keep_now(file); };
  co_return co_await pool_.run<void>(std::move(work));
}

Result<> LogArchive::keep_now(const eventlog::WalToKeep& file) {
  auto name = archived_wal_name(file.sequence);
  auto folder = folder_ + "/wal";
  auto known = read_archived_wal(folder_, file.sequence);
  if (known) {
    TRY(auto source, describe_file(file.path, known->bytes));
    if (source.sha256 == known->sha256) return {};
    return fail(
        ErrorCode::AlreadyExists,
        "{}/{}.wal is another file: a copy of this data folder archives there too; remove {} from the copy's "
        "data folder",
        folder, name, kHistoryFile);
  }
  if (known.error().code != ErrorCode::NotFound) return std::unexpected(std::move(known).error());
  auto unfinished = name + std::string(kUnfinished);
  CHECK(remove_file(folder + "/" + unfinished));
  TRY(auto copied, copy_file(file.path, file.bytes, folder, unfinished));
  PosixFileSystem files;
  auto scanned = run_until_done(eventlog::scan_wal_file(files, folder + "/" + unfinished));
  bool has_own_header = scanned && scanned->header.sequence == file.sequence;
  if (file.holds_no_entry() && !has_own_header) return remove_file(folder + "/" + unfinished);
  TRY(auto scan, std::move(scanned));
  if (scan.end != file.end) {
    log_warn("backup", "an archived write-ahead file holds damage",
             {{"file", name}, {"at", scan.end}, {"end", file.end}});
  }
  CHECK(rename_file(folder + "/" + unfinished, fmt::format("{}/{}.wal", folder, name)));
  after_copy.reached();
  CHECK(write_note(folder, name, archived_wal_json(note_of(scan, file, copied))));
  after_note.reached();
  return {};
}

Task<void> LogArchive::run() {
  bool was_failing = false;
  for (;;) {
    auto kept = co_await keep_state();
    auto now = clock_.now();
    std::function<Result<>()> tidy = [this, now] { return remove_old(now); };
    auto removed = co_await pool_.run<void>(std::move(tidy));
    auto outcome = kept ? std::move(removed) : std::move(kept);
    if (!outcome) failures_.add();
    if (!outcome && !was_failing) {
      log_error("backup", "the archive cannot be brought up to date; it is tried again",
                {{"why", outcome.error().message}});
    }
    was_failing = !outcome;
    auto slept = co_await clock_.sleep_for(options_.state_interval);
    if (!slept) co_return;
  }
}

// Every change of estate and keys is audited, so the trail's length tells whether there was one.
Task<Result<>> LogArchive::keep_state() {
  if (database_ == nullptr) co_return Result<>();
  Query query{std::string(kAuditedEntries)};
  CO_TRY(auto rows, co_await database_->query(std::move(query)));
  auto audited = rows.empty() ? 0 : rows[0].integer(0);
  if (audited_ == audited) co_return Result<>();
  auto folder = folder_ + "/state";
  auto unfinished = folder + "/copy" + std::string(kUnfinished);
  std::function<Result<>()> prepare = [&]() -> Result<> {
    CHECK(make_folder(folder));
    return remove_file(unfinished);
  };
  CO_CHECK(co_await pool_.run<void>(std::move(prepare)));
  CO_CHECK(co_await database_->copy_to(files_, unfinished));
  ArchivedState state;
  state.taken = from_unix_ms(to_unix_ms(clock_.now()));
  state.name = archived_state_name(state.taken);
  std::function<Result<>()> finish = [&]() -> Result<> {
    TRY(auto copied, describe_file(unfinished));
    state.bytes = copied.bytes;
    state.sha256 = copied.sha256;
    CHECK(rename_file(unfinished, fmt::format("{}/{}.db", folder, state.name)));
    return write_note(folder, state.name, archived_state_json(state));
  };
  CO_CHECK(co_await pool_.run<void>(std::move(finish)));
  audited_ = audited;
  co_return Result<>();
}

// The oldest first, up to one that is young enough.
Result<> LogArchive::remove_old(WallTime now) {
  if (options_.keep == Duration::zero()) return {};
  auto limit = now - options_.keep;
  TRY(auto wal, archived_names(folder_, "wal"));
  for (const auto& name : wal) {
    auto sequence = eventlog::wal_sequence_of(name + ".wal");
    if (!sequence) continue;
    TRY(auto file, read_archived_wal(folder_, *sequence));
    if (file.last_time.value_or(file.created) >= limit) break;
    CHECK(remove_archived(folder_, "wal", name, ".wal"));
  }
  TRY(auto states, archived_names(folder_, "state"));
  // The newest of the old ones is the state of the moments that are kept.
  for (std::size_t i = 0; i + 1 < states.size(); ++i) {
    TRY(auto next, read_archived_state(folder_, states[i + 1]));
    if (next.taken >= limit) break;
    CHECK(remove_archived(folder_, "state", states[i], ".db"));
  }
  return {};
}

}  // namespace weft::app
