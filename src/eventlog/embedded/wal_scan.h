// Reads write-ahead files that nobody writes: for checks, the archive and a restore to a moment.
// Each call is one pass over one file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "eventlog/core/log_wal_format.h"
#include "runtime/disk.h"

namespace weft::eventlog {

// DataLoss when there is none, FailedPrecondition when a newer version wrote it.
Task<Result<WalFileHeader>> read_wal_header(File& file);

// The file that a MANIFEST of these bytes begins replay with. DataLoss when they are none,
// FailedPrecondition when a newer version wrote them.
Result<std::uint64_t> first_wal_sequence(std::string_view manifest);

// Of a write-ahead file within the log's folder.
std::string wal_name(std::uint64_t sequence);
// The number in a write-ahead file's name; absent when it is another file's.
std::optional<std::uint64_t> wal_sequence_of(std::string_view name);

struct WalScan {
  WalFileHeader header;
  std::uint64_t entries = 0;
  WalPosition end = 0;                   // behind the last whole entry
  std::optional<std::int64_t> first_ms;  // the earliest of its time marks
  std::optional<std::int64_t> last_ms;   // the latest
};

// Where to stop; both absent: nowhere.
struct WalLimit {
  std::optional<std::int64_t> until_ms;  // no time mark later than this
  std::optional<WalPosition> until;      // no entry that ends behind it
};

// What the file holds before the limit: up to the last time mark before the first later one, or the
// last entry that ends at or before the position. `is_reached` says that more follows.
struct WalCut {
  WalScan kept;
  bool is_reached = false;
};

Task<Result<WalScan>> scan_wal_file(FileSystem& files, std::string path);
Task<Result<WalCut>> cut_wal_file(FileSystem& files, std::string path, WalLimit limit);

}  // namespace weft::eventlog
