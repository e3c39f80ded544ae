// "Did you mean": the candidate that a mistyped word most likely stands for. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weft {

// The candidate with the fewest edits (a letter put in, left out, replaced, or swapped with its
// neighbour; letter case is free), when they are at most a third of the word, and at least one is
// allowed.
std::optional<std::string> closest(std::string_view word, std::span<const std::string> candidates);

// "; did you mean "x"?" or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace weft
