// Headers of a copy that tell where its record came from: of one in quarantine, where it was sent;
// of one that was replayed, where it is stored.
#pragma once

#include <string_view>

namespace weft::eventlog {

inline constexpr std::string_view kOriginStream = "weft-stream";
inline constexpr std::string_view kOriginPartition = "weft-partition";
inline constexpr std::string_view kOriginOffset = "weft-offset";  // of replayed records

}  // namespace weft::eventlog
