// The value of a record of load: which run it belongs to, its number and when it was due, then
// filler that compresses about as text does. Pure.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace weft::app {

inline std::string filler(std::size_t bytes) {
  constexpr std::string_view kLetters =
      "etaoinshrdlu cmfwypvbgkqjxz 0123456789 ETAOINSHRDLUCMFWYPVBG.,:-";
  std::string text(bytes, ' ');
  std::uint64_t state = 88'172'645'463'325'252ULL;  // xorshift64: the same filler every time
  for (char& letter : text) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    letter = kLetters[state % kLetters.size()];
  }
  return text;
}

// Writes over the first 16 bytes.
inline void stamp(std::string& value, std::uint64_t run, MonoTime due) {
  const std::int64_t ns = due.time_since_epoch().count();
  std::memcpy(value.data(), &run, sizeof run);
  std::memcpy(value.data() + sizeof run, &ns, sizeof ns);
}

// Absent: it is of another run.
inline std::optional<MonoTime> due_of(std::string_view value, std::uint64_t run) {
  if (value.size() < 16 || std::memcmp(value.data(), &run, sizeof run) != 0) return std::nullopt;
  std::int64_t ns = 0;
  std::memcpy(&ns, value.data() + sizeof run, sizeof ns);
  return MonoTime(Duration(ns));
}

}  // namespace weft::app
