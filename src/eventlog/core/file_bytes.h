// Bytes that stand in a file and are to be sent from there, without a copy in this process. Whoever
// holds `file` keeps them as they are: a file in use is not recycled. Values; any thread.
#pragma once

#include <cstdint>
#include <memory>

namespace weft {
class File;
}

namespace weft::eventlog {

struct FileBytes {
  std::shared_ptr<File> file;
  std::uint64_t at = 0;
  std::uint64_t size = 0;
  bool operator==(const FileBytes&) const = default;
};

// In a list of batches: what stands before the batch of that index.
struct FileBytesBefore {
  std::size_t index = 0;
  FileBytes bytes;
};

}  // namespace weft::eventlog
