// What a JsonDocument owns. Private to base.
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "base/core/json_arena.h"
#include "base/json.h"

namespace weft {

struct JsonDocument::Parts {
  explicit Parts(std::shared_ptr<const std::string> source)
      : text(std::move(source)), arena(std::min<std::size_t>(text->size() * 2 + 64, 1 << 20)) {}

  std::shared_ptr<const std::string> text;  // several documents of one file share it
  JsonArena arena;
  Json root;
};

}  // namespace weft
