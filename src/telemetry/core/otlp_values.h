// How attributes become OTLP values. Weft's spans carry texts; the semantic conventions want some
// of them as integers.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weft::telemetry {

// The integer, when the convention for `key` asks for one and the text is one.
std::optional<std::int64_t> otlp_integer(std::string_view key, std::string_view text);

}  // namespace weft::telemetry
