// What an archive holds: sealed write-ahead files and copies of the state database, each with a
// note beside it that is written last; a file without its note is no part of the archive. Format:
// docs/formats/archive.md. Calls that take a folder block their thread; the rest are values.
//
//   <archive>/<history>/wal/0000000000000007.wal and .json
//   <archive>/<history>/state/2026-11-28T07-30-00.123Z.db and .json
//
// A history is the life of one data folder: a restored one begins a history of its own, so that
// what two nodes write after the same moment never meets.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "eventlog/embedded/wal_archive.h"

namespace weft::app {

inline constexpr std::string_view kHistoryFile =
    "history";  // in the data folder: the history's name

struct ArchivedWal {
  std::uint64_t sequence = 0;
  std::uint64_t bytes = 0;
  std::string sha256;
  eventlog::WalPosition previous_end = 0;  // the file before ends here
  eventlog::WalPosition first = 0;
  eventlog::WalPosition end = 0;
  WallTime created{};
  std::optional<WallTime>
      first_time;  // of its time marks; absent in files from before the archive was on
  std::optional<WallTime> last_time;
  bool operator==(const ArchivedWal&) const = default;
};

struct ArchivedState {
  std::string name;  // within state/, without an ending
  WallTime taken{};  // everything in it was committed before
  std::uint64_t bytes = 0;
  std::string sha256;
  bool operator==(const ArchivedState&) const = default;
};

std::string archived_wal_json(const ArchivedWal& file);
// DataLoss when it is no such note, FailedPrecondition when a newer version wrote it.
Result<ArchivedWal> parse_archived_wal(std::string_view json);
std::string archived_state_json(const ArchivedState& state);
Result<ArchivedState> parse_archived_state(std::string_view json);

std::string archived_wal_name(std::uint64_t sequence);  // without an ending
std::string archived_state_name(WallTime taken);
std::string archive_path(std::string_view folder, std::string_view kind, std::string_view name);

// The names that have a note, in order; none when the folder does not exist.
Result<std::vector<std::string>> archived_names(const std::string& folder, std::string_view kind);
Result<ArchivedWal> read_archived_wal(const std::string& folder, std::uint64_t sequence);
Result<ArchivedState> read_archived_state(const std::string& folder, const std::string& name);
// By sequence, from `first` on.
Result<std::map<std::uint64_t, ArchivedWal>> archived_wal_from(const std::string& folder,
                                                               std::uint64_t first);

}  // namespace weft::app
