// What a node does with a data folder that an older version wrote, before it opens anything in it.
// Calls block their thread.
//
// docs/upgrade.md says what changed with each format, and how to go back.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::app {

// In the data folder: "weft data folder <format>".
inline constexpr std::string_view kDataFormatFile = "FORMAT";
inline constexpr int kDataFormat = 3;
std::string data_format_text(int format = kDataFormat);

// Brings the folder to kDataFormat, unless it is there. Of an older one the way back is kept first,
// in way_back_folder(): all files as they were, which is a data folder for the older version.
// Segments are linked, since nobody changes them; the rest is copied. FailedPrecondition: a newer
// version wrote it. ResourceExhausted: no space for the way back; nothing was changed. A start that
// is cut off begins again.
Result<> upgrade_data_folder(const std::string& folder);
std::string way_back_folder(const std::string& folder, int format);

}  // namespace weft::app
