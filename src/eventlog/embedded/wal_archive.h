// The seam where sealed write-ahead files are handed over, so that a backup can be restored to a
// moment after it (docs/adr/0003). With one, each commit group ends in a time mark;
// docs/formats/wal.md.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "eventlog/core/log_wal_format.h"
#include "runtime/task.h"

namespace weft::eventlog {

// A write-ahead file that is written to no more. Stays as it is until keep() returns, except that
// it may be unlinked.
struct WalToKeep {
  std::uint64_t sequence = 0;
  std::string path;
  std::uint64_t bytes = 0;  // from its beginning; what stands behind them is no part of the log
  WalPosition end = 0;      // of its last entry: where the next file goes on

  // Then its header may have been torn too (what stands there is of the file that it was recycled
  // from), and the log goes on without it.
  bool holds_no_entry() const { return bytes == kWalHeaderBytes; }
};

class WalArchive {
 public:
  virtual ~WalArchive() = default;

  // The copy is durable when it returns. Called for one file after another, on the log's background
  // loop, which it must not block; after a failure or a restart again for the same one, whose end
  // may then be told as later than it was: what is archived stays. May take as long as it wants:
  // the log goes on, up to LogOptions::archive_waiting_bytes_max.
  virtual Task<Result<>> keep(WalToKeep file) = 0;
};

}  // namespace weft::eventlog
