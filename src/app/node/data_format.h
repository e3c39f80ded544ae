// What the file FORMAT of a data folder says; a node refuses a folder that says something else.
#pragma once

#include <string_view>

namespace weft::app {

inline constexpr std::string_view kDataFormatFile = "FORMAT";
inline constexpr std::string_view kDataFormat = "weft data folder 1\n";

}  // namespace weft::app
