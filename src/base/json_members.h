// Members of a JSON object by name and type, for documents that were checked before or whose reader
// does without what is missing. Absent when there is no such member, when it has another type, and
// when the value is no object. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/time.h"

namespace weft {

// A view into the document.
std::optional<std::string_view> member_text(const Json& object, std::string_view name);
// A copy of the text, of the fallback when it is absent.
std::string text_of(const Json& object, std::string_view name, std::string_view fallback = "");

std::optional<std::int64_t> member_integer(const Json& object, std::string_view name);
// A size, count or position: an integer that is not negative.
std::optional<std::uint64_t> member_count(const Json& object, std::string_view name);
// A text by RFC 3339.
std::optional<WallTime> member_time(const Json& object, std::string_view name);

}  // namespace weft
