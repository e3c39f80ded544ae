// A restore to a moment after a backup: which of the archive's files follow the backup's own, and
// where the last one is cut. For command-line verbs: all calls block.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/backup/archive_files.h"
#include "app/backup/backup_list.h"

namespace weft::app {

// At most one is set; neither: all that the archive has.
struct Moment {
  std::optional<WallTime> time;
  std::optional<eventlog::WalPosition> position;
};
// A time of RFC 3339, a position of the log, or `end`.
Result<Moment> parse_moment(std::string_view text);

struct ArchivePlan {
  std::string folder;                  // of the history
  std::vector<ArchivedWal> files;      // they take the place of the backup's files of those numbers
  eventlog::WalPosition position = 0;  // everything before it is restored
  std::optional<WallTime> time;  // of the last commit before it, when it is from after the backup
  std::optional<ArchivedState> state;  // newer than the backup's own, and not newer than the moment

  // How much of one of the files is restored.
  std::uint64_t bytes_of(const ArchivedWal& file) const;
};

// Looks at the notes, and into the file that holds the moment. FailedPrecondition: the backup is
// later than the moment, or knows no archive; OutOfRange: the archive ends before it; DataLoss: a
// gap, or files that do not follow each other, by name.
Result<ArchivePlan> plan_restore(const std::string& archive, const std::string& backup,
                                 const BackupList& list, const Moment& moment);
// Copies what the plan says into a data folder in the making; each file's SHA-256 is compared. The
// files that it takes the place of must not be there.
Result<> lay_archive(const ArchivePlan& plan, const std::string& into);
// The backup's file of this name gives way to one of the archive.
bool is_replaced(const ArchivePlan& plan, std::string_view name);

struct ArchiveReport {
  std::size_t wal_files = 0;
  std::size_t states = 0;
  std::uint64_t bytes = 0;
  eventlog::WalPosition position = 0;  // how far it reaches without a gap
  std::optional<WallTime> time;
  std::vector<std::string> problems;
};

// Reads every byte of what follows the backup.
Result<ArchiveReport> verify_archive(const std::string& archive, const std::string& backup,
                                     const BackupList& list);

}  // namespace weft::app
