// The server's settings: one table that says every name, type, default and help. From it follow
// weft.yaml, the environment (WEFT_ and the path in upper case, "__" for "."), --set path=value and
// the reference in docs/settings.md. Precedence: flag > environment > file > default. A secret may
// also come from the file that its variable with _FILE at the end names.
//
// Immutable after load; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace weft::app {

enum class SettingType : std::uint8_t { Text, Secret, Number, Bytes, Time, Switch, List };

struct SettingSpec {
  std::string_view path;  // "ports.admin"
  SettingType type;
  std::string_view fallback;
  std::string_view help;
};

std::span<const SettingSpec> setting_specs();
// The reference of all settings in Markdown: docs/settings.md.
std::string settings_reference();

class Settings {
 public:
  using Environment = std::function<std::optional<std::string>(const std::string&)>;

  // `file_text` is a weft.yaml (empty: none), `overrides` are "path=value". Errors name the place:
  // file:line:column or the variable, and the nearest known name.
  static Result<Settings> load(const std::string& file_name, const std::string& file_text,
                               const Environment& environment,
                               const std::vector<std::string>& overrides);

  // Require: the path is in the table with that type.
  std::string text(std::string_view path) const;
  std::string secret(std::string_view path) const;
  std::int64_t number(std::string_view path) const;
  std::uint64_t bytes(std::string_view path) const;
  Duration time(std::string_view path) const;
  bool is_on(std::string_view path) const;
  std::vector<std::string> list(std::string_view path) const;

 private:
  Result<> set(std::string_view path, std::string value, std::string_view where);
  const std::string& value_of(std::string_view path, SettingType type) const;

  std::map<std::string, std::string, std::less<>> values_;
};

// "64KiB", "10MB", "512" as bytes.
Result<std::uint64_t> parse_bytes(std::string_view text);

// Where the OTLP receiver listens: listen.otlpAddress, or the loopback address of listen.address's
// family.
std::string otlp_address(const Settings& settings);

}  // namespace weft::app
