#include "base/json_members.h"

namespace weft {

std::optional<std::string_view> member_text(const Json& object, std::string_view name) {
  const auto* value = object.find(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->as_string();
}

std::string text_of(const Json& object, std::string_view name, std::string_view fallback) {
  return std::string(member_text(object, name).value_or(fallback));
}

std::optional<std::int64_t> member_integer(const Json& object, std::string_view name) {
  const auto* value = object.find(name);
  return value != nullptr ? value->as_int64() : std::nullopt;
}

std::optional<std::uint64_t> member_count(const Json& object, std::string_view name) {
  auto number = member_integer(object, name);
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::optional<WallTime> member_time(const Json& object, std::string_view name) {
  auto text = member_text(object, name);
  if (!text) return std::nullopt;
  auto time = parse_rfc3339(*text);
  return time ? std::optional(*time) : std::nullopt;
}

}  // namespace weft
