// What a JsonDocument owns. Private to base.
#pragma once

#include <memory>
#include <new>
#include <string>
#include <utility>

#include "base/core/json_arena.h"
#include "base/json.h"

namespace weft {

// The tree's first chunk lies in the same piece of memory, behind the parts: whoever has the root
// has the next lines of the cache coming.
struct JsonDocument::Parts {
  static std::unique_ptr<Parts> make(std::shared_ptr<const std::string> text,
                                     std::size_t first_chunk) {
    return std::unique_ptr<Parts>(new (Behind{first_chunk}) Parts(std::move(text), first_chunk));
  }

  struct Behind {
    std::size_t size;
  };
  static void* operator new(std::size_t size, Behind behind) {
    return ::operator new(size + behind.size);
  }
  static void operator delete(void* parts) { ::operator delete(parts); }
  static void operator delete(void* parts, Behind /*never constructed*/) {
    ::operator delete(parts);
  }

  Json root;
  std::shared_ptr<const std::string> text;  // several documents of one file share it
  JsonArena arena;

 private:
  Parts(std::shared_ptr<const std::string> source, std::size_t first_chunk)
      : text(std::move(source)), arena(reinterpret_cast<char*>(this + 1), first_chunk) {}
};

}  // namespace weft
