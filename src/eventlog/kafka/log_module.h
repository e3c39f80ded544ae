// What this edge calls itself in log lines.
#pragma once

#include <string_view>

namespace weft::kafka {

inline constexpr std::string_view kLogModule = "kafka";

}  // namespace weft::kafka
