// Reads the files of a log that nobody has open, such as those of a backup, and checks every
// checksum: manifest, segments batch by batch, write-ahead files entry by entry. Changes nothing.
// The calling thread blocks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/disk.h"
#include "runtime/task.h"

namespace weft::eventlog {

struct LogCheck {
  std::uint64_t streams = 0;
  std::uint64_t segments = 0;
  std::uint64_t wal_files = 0;
  std::uint64_t batches = 0;  // in segments
  std::uint64_t records = 0;
  std::uint64_t entries = 0;        // of the write-ahead log
  std::vector<std::string> damage;  // "segments/….segment: the batch at offset 17 of stream …"
};

// An error only when the check could not be made: no manifest, or one of a newer version.
Task<Result<LogCheck>> check_log_files(FileSystem& files, std::string folder);

}  // namespace weft::eventlog
