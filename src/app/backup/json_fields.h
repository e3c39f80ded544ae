// Members of the small JSON files of backups and archives. Values; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "app/version.h"
#include "base/json.h"
#include "base/result.h"
#include "base/time.h"

namespace weft::app {

// Empty, or absent, when there is no member of that name and type.
inline std::string_view text_in(const Json& object, std::string_view name) {
  const auto* value = object.find(name);
  return value != nullptr && value->is_string() ? value->as_string() : std::string_view();
}

inline std::optional<std::int64_t> number_in(const Json& object, std::string_view name) {
  const auto* value = object.find(name);
  return value != nullptr ? value->as_int64() : std::nullopt;
}

// A size, count or position.
inline std::optional<std::uint64_t> count_in(const Json& object, std::string_view name) {
  auto number = number_in(object, name);
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

inline std::optional<WallTime> time_in(const Json& object, std::string_view name) {
  auto time = parse_rfc3339(text_in(object, name));
  return time ? std::optional(*time) : std::nullopt;
}

inline Failure newer_format(std::string_view what, std::int64_t format) {
  return fail(
      ErrorCode::FailedPrecondition,
      "{} has format {}, which this version ({}) does not read: use the version that wrote it",
      what, format, kVersion);
}

}  // namespace weft::app
