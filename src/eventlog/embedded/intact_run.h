// Which bytes of an extent a reader may be sent straight from its file, without a look at them:
// whole batches that are known to be intact and are in memory. Any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "eventlog/core/log_segment_format.h"
#include "runtime/disk.h"

namespace weft::eventlog {

struct IntactRun {
  std::uint64_t at = 0;  // in the extent
  std::uint64_t bytes = 0;
  Offset next = 0;      // behind it
  bool is_cut = false;  // more stands behind it, which does not fit or is not worth a look
};

// A run of at most `bytes_max` that begins with the first batch that ends at or beyond `from` and
// holds none at or beyond `limit`. Goes from one index point to another, and reads the headers of
// some batches before the first and behind the last; so a run of small batches may be shorter than
// it could be, or absent. Requires file.descriptor() >= 0.
std::optional<IntactRun> intact_run(const File& file, const Extent& extent, Offset from,
                                    std::uint64_t bytes_max, Offset limit);

// Whether these bytes of the file are in the page cache, so that sendfile(2) does not wait for the
// disk. By samples: bytes of a file come and go in larger pieces.
bool is_warm(const File& file, std::uint64_t at, std::uint64_t bytes);

}  // namespace weft::eventlog
