// Canonical JSON text of a value: members sorted by the bytes of their names, no spaces, strings
// escaped in one way, number lexemes as they are. Pure; any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace weft::estate {

// Called with every value and its pointer below the start; what it returns is written instead, as
// JSON.
using JsonSubstitute =
    std::function<std::optional<std::string>(const std::string& pointer, const Json& value)>;

// `pointer` is where `value` itself stands.
std::string canonical_json(const Json& value, const JsonSubstitute& substitute = nullptr,
                           std::string pointer = "");

}  // namespace weft::estate
