// Finding equal values in an array, and counting characters. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/json.h"

namespace weft::contracts {

// The places of two equal elements, or nothing. Takes n log n comparisons also for hostile arrays.
std::optional<std::pair<std::uint32_t, std::uint32_t>> repeated_element(
    std::span<const Json> elements);

// Code points of a well-formed UTF-8 text.
std::size_t count_characters(std::string_view text);

}  // namespace weft::contracts
