// Memory of a JSON tree: bump allocation in chunks, and the stack on which open containers collect
// their children. Private to base. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/json.h"

namespace weft {

class JsonArena {
 public:
  // What a value can point to; see Json.
  static constexpr std::uintptr_t kAddressMask = (std::uintptr_t{1} << 48) - 1;
  static void check_address(const void* end) {
    ENSURE(reinterpret_cast<std::uintptr_t>(end) <= kAddressMask, "an address has 48 bits");
  }

  JsonArena() = default;
  // Begins in room that somebody else owns, and that lives as long. Not to be reset.
  JsonArena(char* room, std::size_t size) : free_(room), end_(room + size), next_chunk_(size * 2) {
    check_address(end_);
  }

  // Aligned for Json; never null.
  char* take(std::size_t bytes) {
    bytes = (bytes + 7) & ~std::size_t{7};
    if (bytes > static_cast<std::size_t>(end_ - free_)) add_chunk(bytes);
    char* const taken = free_;
    free_ += bytes;
    return taken;
  }

  // Forgets everything taken. What one parse needed stays ready for the next, up to kKeptMax.
  void reset();

  // Frees what only parsing needs, for a tree that stays.
  void drop_scratch() {
    stack_.reset();
    stack_size_ = 0;
    sort_room_ = {};
  }

  // The children's stack; grows by grow_stack, which keeps what is below `used`.
  Json* stack() { return stack_.get(); }
  std::size_t stack_size() const { return stack_size_; }
  void grow_stack(std::size_t used);

  // Room for sorting the keys of one object.
  std::vector<std::pair<std::uint64_t, std::uint32_t>>& sort_room() { return sort_room_; }

 private:
  static constexpr std::size_t kKeptMax = 4 * 1024 * 1024;
  static constexpr std::size_t kChunkMax = 8 * 1024 * 1024;

  struct Chunk {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };

  void add_chunk(std::size_t at_least);

  std::vector<Chunk> chunks_;
  char* free_ = nullptr;
  char* end_ = nullptr;
  std::size_t next_chunk_ = 4096;
  std::unique_ptr<Json[]> stack_;
  std::size_t stack_size_ = 0;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> sort_room_;
};

}  // namespace weft
