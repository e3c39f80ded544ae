// Patterns over JSON Pointers: "/spec/endpoints/*/secret", where the token "*" stands for any one
// token. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weft::estate {

// Whether the pointer names what the pattern names, or something below it.
bool is_at_or_below(std::string_view pointer, std::string_view pattern);
bool is_at_or_below_any(std::string_view pointer, const std::vector<std::string>& patterns);

}  // namespace weft::estate
