// How the hand-over of write-ahead files to the archive goes. A value.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"

namespace weft::eventlog {

struct ArchiveStatus {
  std::uint64_t waiting_bytes = 0;
  std::uint64_t gaps = 0;                 // files given up since the start
  std::optional<WallTime> failing_since;  // the last attempt failed
};

}  // namespace weft::eventlog
