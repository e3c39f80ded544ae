#include "app/backup/point_in_time.h"

#include <algorithm>
#include <charconv>

#include "app/backup/file_copy.h"
#include "eventlog/embedded/wal_scan.h"
#include "runtime/run_until_done.h"
#include "storage/sqlite_database.h"

namespace weft::app {
namespace {

using ArchivedFiles = std::map<std::uint64_t, ArchivedWal>;

std::string wal_path(const std::string& folder, const ArchivedWal& file) {
  return archive_path(folder, "wal", archived_wal_name(file.sequence)) + ".wal";
}

std::string name_in_backup(std::uint64_t sequence) {
  return "log/" + eventlog::wal_name(sequence);
}

// The last write-ahead file of the backup, which the archive has as a whole: the backup's own ends
// somewhere in it.
Result<std::uint64_t> last_sequence(const std::string& backup, const BackupList& list) {
  constexpr std::string_view kFolder = "log/wal/";
  std::uint64_t last = 0;
  for (const auto& file : list.files) {
    if (!file.name.starts_with(kFolder)) continue;
    last = std::max(
        last,
        eventlog::wal_sequence_of(std::string_view(file.name).substr(kFolder.size())).value_or(0));
  }
  if (last != 0) return last;
  TRY(auto bytes, read_text(backup + "/log/MANIFEST"));
  return eventlog::first_wal_sequence(bytes);
}

Result<std::string> history_folder(const std::string& archive, const BackupList& list) {
  if (list.history.empty()) {
    return fail(
        ErrorCode::FailedPrecondition,
        "this backup was taken without an archive (backup.archive): it can be restored as it is, without --to");
  }
  auto folder = archive + "/" + list.history;
  TRY(auto names, archived_names(folder, "wal"));
  if (names.empty()) {
    return fail(ErrorCode::NotFound,
                "{} holds nothing of history {}, to which this backup belongs: name the folder "
                "that backup.archive of the node named",
                archive, list.history);
  }
  return folder;
}

Failure gap(const std::string& folder, const ArchivedFiles& files, std::uint64_t missing) {
  auto next = files.upper_bound(missing);
  auto last = next == files.end() ? missing : next->first - 1;
  auto names = archived_wal_name(missing) + ".wal";
  if (last > missing) names += fmt::format(" to {}.wal", archived_wal_name(last));
  return fail(
      ErrorCode::DataLoss,
      "the archive has a gap: {}/wal lacks {}. Restore to a moment before it, or from a backup that was taken "
      "after it",
      folder, names);
}

// A number may be missing when nothing in that file counted; a position may not.
Result<> check_follows(const std::string& folder, const ArchivedFiles& files,
                       const ArchivedWal& before, const ArchivedWal& file) {
  if (file.previous_end == before.end) return {};
  if (file.sequence != before.sequence + 1) return gap(folder, files, before.sequence + 1);
  return fail(ErrorCode::DataLoss,
              "{}.wal ends at position {}, but {}.wal follows {}: they are of different logs",
              archived_wal_name(before.sequence), before.end, archived_wal_name(file.sequence),
              file.previous_end);
}

// Walks the files from the backup's last one on until the moment is reached.
class Planner {
 public:
  Planner(std::string folder, const BackupList& list, const Moment& moment)
      : list_(list), moment_(moment) {
    plan_.folder = std::move(folder);
    plan_.position = list.log_position;
  }

  Result<ArchivePlan> run(std::uint64_t first) {
    CHECK(check_backup_is_older());
    TRY(auto files, archived_wal_from(plan_.folder, first));
    if (!files.empty() && files.begin()->first != first) return gap(plan_.folder, files, first);
    for (auto at = files.begin(); at != files.end() && !is_reached_; ++at) {
      if (!plan_.files.empty())
        CHECK(check_follows(plan_.folder, files, plan_.files.back(), at->second));
      CHECK(take(at->second));
    }
    if (!is_reached_) CHECK(check_end());
    while (!plan_.files.empty() && plan_.files.back().first >= plan_.position)
      plan_.files.pop_back();
    CHECK(choose_state());
    return std::move(plan_);
  }

 private:
  Result<> check_backup_is_older() const {
    if (moment_.time && *moment_.time < list_.taken) {
      return fail(ErrorCode::FailedPrecondition,
                  "this backup was taken at {}, after {}: restore from an older one",
                  to_rfc3339(list_.taken), to_rfc3339(*moment_.time));
    }
    if (moment_.position && *moment_.position < list_.log_position) {
      return fail(ErrorCode::FailedPrecondition,
                  "this backup goes to position {}, beyond {}: restore from an older one",
                  list_.log_position, *moment_.position);
    }
    return {};
  }

  Result<> take(const ArchivedWal& file) {
    plan_.files.push_back(file);
    bool is_whole = (!moment_.time || (file.last_time && *file.last_time <= *moment_.time)) &&
                    (!moment_.position || file.end <= *moment_.position);
    if (is_whole) {
      reach(file.end, file.last_time);
      is_reached_ = moment_.position == file.end;
      return {};
    }
    eventlog::WalLimit limit;
    if (moment_.time) limit.until_ms = to_unix_ms(*moment_.time);
    limit.until = moment_.position;
    PosixFileSystem files;
    TRY(auto cut,
        run_until_done(eventlog::cut_wal_file(files, wal_path(plan_.folder, file), limit)));
    is_reached_ = cut.is_reached;
    if (cut.kept.entries == 0) return {};
    reach(cut.kept.end,
          cut.kept.last_ms ? std::optional(from_unix_ms(*cut.kept.last_ms)) : std::nullopt);
    return {};
  }

  void reach(eventlog::WalPosition position, std::optional<WallTime> time) {
    if (position <= plan_.position) return;
    plan_.position = position;
    if (time) plan_.time = time;
  }

  Result<> check_end() const {
    if (!moment_.time && !moment_.position) return {};
    auto last = plan_.time ? fmt::format(", whose last commit was at {}", to_rfc3339(*plan_.time))
                           : std::string();
    return fail(
        ErrorCode::OutOfRange,
        "the archive ends at position {}{}, and nothing shows that it reaches the moment: --to end restores all "
        "that it has",
        plan_.position, last);
  }

  // The state must not know more than the log; it may know less.
  Result<> choose_state() {
    auto limit = moment_.time ? moment_.time : plan_.time;
    TRY(auto names, archived_names(plan_.folder, "state"));
    for (const auto& name : names) {
      TRY(auto state, read_archived_state(plan_.folder, name));
      bool is_early_enough = limit ? state.taken <= *limit : !moment_.position;
      if (is_early_enough && state.taken > list_.taken) plan_.state = std::move(state);
    }
    return {};
  }

  const BackupList& list_;
  const Moment& moment_;
  ArchivePlan plan_;
  bool is_reached_ = false;
};

std::string place(std::string_view file, const std::string& why) {
  return fmt::format("archive: {}: {}", file, why);
}

// What is wrong with the file, empty: nothing.
std::string problem_of(const std::string& path, std::uint64_t bytes, const std::string& sha256) {
  auto found = describe_file(path);
  if (!found) return found.error().message;
  if (found->bytes != bytes) return fmt::format("{} bytes instead of {}", found->bytes, bytes);
  if (found->sha256 != sha256) return "it was changed: its SHA-256 differs";
  return {};
}

void check_wal(const std::string& folder, const ArchivedWal& file, ArchiveReport& report) {
  auto name = archived_wal_name(file.sequence) + ".wal";
  auto path = wal_path(folder, file);
  auto problem = problem_of(path, file.bytes, file.sha256);
  if (!problem.empty()) return report.problems.push_back(place(name, problem));
  PosixFileSystem files;
  auto scan = run_until_done(eventlog::scan_wal_file(files, path));
  if (!scan) return report.problems.push_back(place(name, scan.error().message));
  if (scan->end != file.end) {
    report.problems.push_back(place(
        name, fmt::format("damaged at position {}, its entries go to {}", scan->end, file.end)));
  }
}

Result<> check_states(const std::string& folder, ArchiveReport& report) {
  TRY(auto names, archived_names(folder, "state"));
  for (const auto& name : names) {
    TRY(auto state, read_archived_state(folder, name));
    auto path = archive_path(folder, "state", name) + ".db";
    auto problem = problem_of(path, state.bytes, state.sha256);
    if (problem.empty()) {
      auto whole = check_sqlite_file(path);
      if (!whole) problem = whole.error().message;
    }
    if (!problem.empty()) report.problems.push_back(place(name + ".db", problem));
    ++report.states;
    report.bytes += state.bytes;
  }
  return {};
}

}  // namespace

Result<Moment> parse_moment(std::string_view text) {
  Moment moment;
  if (text == "end") return moment;
  std::uint64_t position = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), position);
  if (error == std::errc() && end == text.data() + text.size()) {
    moment.position = position;
    return moment;
  }
  auto time = parse_rfc3339(text);
  if (!time) {
    return fail(
        ErrorCode::InvalidArgument,
        "--to: '{}' is neither a time such as 2026-11-28T14:05:00Z, nor a position of the log, nor 'end'",
        text);
  }
  moment.time = *time;
  return moment;
}

std::uint64_t ArchivePlan::bytes_of(const ArchivedWal& file) const {
  return eventlog::kWalHeaderBytes + (std::min(position, file.end) - file.first);
}

Result<ArchivePlan> plan_restore(const std::string& archive, const std::string& backup,
                                 const BackupList& list, const Moment& moment) {
  TRY(auto folder, history_folder(archive, list));
  TRY(auto first, last_sequence(backup, list));
  return Planner(std::move(folder), list, moment).run(first);
}

Result<> lay_archive(const ArchivePlan& plan, const std::string& into) {
  for (const auto& file : plan.files) {
    auto from = wal_path(plan.folder, file);
    auto bytes = plan.bytes_of(file);
    TRY(auto copied, copy_file(from, bytes, into, name_in_backup(file.sequence)));
    if (bytes < file.bytes) {
      TRY(copied, describe_file(from));
    }
    if (copied.bytes != file.bytes || copied.sha256 != file.sha256) {
      return fail(ErrorCode::DataLoss, "{} was changed: its SHA-256 differs", from);
    }
  }
  if (!plan.state) return {};
  auto from = archive_path(plan.folder, "state", plan.state->name) + ".db";
  TRY(auto copied, copy_file(from, plan.state->bytes, into, std::string(kStateName)));
  if (copied.sha256 != plan.state->sha256)
    return fail(ErrorCode::DataLoss, "{} was changed: its SHA-256 differs", from);
  return {};
}

bool is_replaced(const ArchivePlan& plan, std::string_view name) {
  if (plan.state && name == kStateName) return true;
  auto has_name = [name](const ArchivedWal& file) { return name_in_backup(file.sequence) == name; };
  return std::ranges::any_of(plan.files, has_name);
}

Result<ArchiveReport> verify_archive(const std::string& archive, const std::string& backup,
                                     const BackupList& list) {
  TRY(auto folder, history_folder(archive, list));
  TRY(auto first, last_sequence(backup, list));
  TRY(auto files, archived_wal_from(folder, first));
  ArchiveReport report;
  report.position = list.log_position;
  const ArchivedWal* before = nullptr;
  bool has_gap = !files.empty() && files.begin()->first != first;
  if (has_gap) report.problems.push_back(gap(folder, files, first).error().message);
  for (const auto& [sequence, file] : files) {
    auto follows = before != nullptr ? check_follows(folder, files, *before, file) : Result<>();
    if (!follows) report.problems.push_back(follows.error().message);
    has_gap = has_gap || !follows;
    check_wal(folder, file, report);
    ++report.wal_files;
    report.bytes += file.bytes;
    if (!has_gap && file.end > report.position) {
      report.position = file.end;
      if (file.last_time) report.time = file.last_time;
    }
    before = &file;
  }
  CHECK(check_states(folder, report));
  return report;
}

}  // namespace weft::app
