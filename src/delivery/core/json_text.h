// A text member of one of delivery's own records.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace weft::delivery {

// Empty when there is no such member or it is no text.
inline std::string text_of(const Json& root, std::string_view name) {
  const auto* value = root.find(name);
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

}  // namespace weft::delivery
