// How attributes become OTLP values. Weft's spans carry texts; the semantic conventions want some
// of them as integers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft::telemetry {

// The integer, when the convention for `key` asks for one and the text is one.
std::optional<std::int64_t> otlp_integer(std::string_view key, std::string_view text);

// OTLP strings are UTF-8; what is not is replaced by U+FFFD, byte by byte. `buffer` is used when
// needed.
std::string_view otlp_text(std::string_view text, std::string& buffer);

}  // namespace weft::telemetry
