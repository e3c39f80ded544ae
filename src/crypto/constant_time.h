// Comparison of secrets, in a time that tells only whether the lengths differ. Any thread.
#pragma once

#include <string_view>

namespace weft::crypto {

bool constant_time_equals(std::string_view a, std::string_view b);

}  // namespace weft::crypto
