#include "app/settings/settings_file.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace weft::app {
namespace {

std::optional<std::string> environment_variable(const std::string& name) {
  if (const char* value = std::getenv(name.c_str())) return std::string(value);
  return std::nullopt;
}

}  // namespace

Result<Settings> read_settings(const SettingsFile& file,
                               const std::vector<std::string>& overrides) {
  std::ifstream in(file.path);
  if (!in && file.is_required)
    return fail(ErrorCode::NotFound, "cannot read settings file {}", file.path);
  std::string text(std::istreambuf_iterator<char>(in), {});
  return Settings::load(file.path, text, environment_variable, overrides);
}

}  // namespace weft::app
