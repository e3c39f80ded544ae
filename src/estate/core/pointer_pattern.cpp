#include "estate/core/pointer_pattern.h"

#include <algorithm>

namespace weft::estate {

namespace {

// The first token of "/a/b" and the rest, "/b".
std::string_view take_token(std::string_view& pointer) {
  auto end = pointer.find('/', 1);
  auto token = pointer.substr(1, end == std::string_view::npos ? end : end - 1);
  pointer = end == std::string_view::npos ? std::string_view() : pointer.substr(end);
  return token;
}

}  // namespace

bool is_at_or_below(std::string_view pointer, std::string_view pattern) {
  while (!pattern.empty()) {
    if (pointer.empty()) return false;
    auto wanted = take_token(pattern);
    auto token = take_token(pointer);
    if (wanted != "*" && wanted != token) return false;
  }
  return true;
}

bool is_at_or_below_any(std::string_view pointer, const std::vector<std::string>& patterns) {
  return std::ranges::any_of(
      patterns, [&](const std::string& pattern) { return is_at_or_below(pointer, pattern); });
}

}  // namespace weft::estate
