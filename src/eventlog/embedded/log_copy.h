// What a log's files are as of one moment, for a backup. Values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "eventlog/core/log_wal_format.h"

namespace weft::eventlog {

struct LogCopy {
  struct Piece {
    std::string name;         // within the log's folder
    std::uint64_t bytes = 0;  // from its beginning; the file may be longer
  };

  std::string manifest;  // the bytes of the file MANIFEST
  std::vector<Piece> pieces;
  WalPosition position = 0;  // everything before it is in the copy, nothing after it
  WallTime taken{};
};

}  // namespace weft::eventlog
