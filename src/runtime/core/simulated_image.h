// One simulated file: what programs see, what is on the medium, and the writes in between.
//
// The rules are those of a journalling file system over a disk with sectors of 512 bytes. A sector
// is written whole, with the content that it had after some number of the unsynced writes; sectors
// reach the medium in any order. The file's size is metadata and moves in order, but apart from the
// data: a file may be longer than what was written (the rest reads as zeros) or shorter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/core/paged_bytes.h"
#include "runtime/random.h"

namespace weft {

enum class CrashKeeps : std::uint8_t { Random, Nothing, Everything };

class SimulatedImage {
 public:
  const PagedBytes& seen() const { return seen_; }
  const PagedBytes& durable() const { return durable_; }
  std::size_t unsynced() const { return unsynced_.size(); }

  void write(std::uint64_t offset, std::string_view bytes);
  void resize(std::uint64_t size);

  // The first `count` of the unsynced changes are on the medium.
  void commit(std::size_t count);
  // A sync that failed: some of the first `count` changes reached the medium, and the system
  // believes that all did. Programs still see them; no later sync writes them.
  void commit_damaged(std::size_t count, Random& random);
  // What is on the medium is all that is left.
  void crash(CrashKeeps keeps, Random& random);

  void flip_bit(std::uint64_t offset, unsigned bit);

 private:
  struct Change {
    std::uint64_t offset = 0;  // of a write; the new size of a resize
    std::string bytes;
    bool is_resize = false;
  };
  void apply_some(std::size_t count, CrashKeeps keeps, Random& random);
  static std::uint64_t size_after(std::uint64_t size, const Change& change);

  PagedBytes seen_;
  PagedBytes durable_;
  std::vector<Change> unsynced_;
};

}  // namespace weft
