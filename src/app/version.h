// The program's version (semver), as `weft version`, the admin API and telemetry show it.
#pragma once

#include <string_view>

namespace weft::app {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace weft::app
