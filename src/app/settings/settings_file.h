// The settings of a process that is started here: weft.yaml, this process's environment, flags.
// Reads a file: blocks its thread.
#pragma once

#include <string>
#include <vector>

#include "app/settings/settings.h"

namespace weft::app {

inline constexpr const char* kSettingsFile = "weft.yaml";  // in the folder in which it starts

struct SettingsFile {
  std::string path = kSettingsFile;
  bool is_required = false;  // given by flag: a missing file is NotFound, else it is empty
};

// `overrides` are "path=value"; errors as those of Settings::load.
Result<Settings> read_settings(const SettingsFile& file, const std::vector<std::string>& overrides);

}  // namespace weft::app
