// What a JsonDocument owns. Private to base.
#pragma once

#include <memory>
#include <string>

#include "base/core/json_arena.h"
#include "base/json.h"

namespace weft {

struct JsonDocument::Parts {
  Parts(std::shared_ptr<const std::string> source, std::size_t first_chunk)
      : text(std::move(source)), arena(first_chunk) {}

  std::shared_ptr<const std::string> text;  // several documents of one file share it
  JsonArena arena;
  Json root;
};

}  // namespace weft
