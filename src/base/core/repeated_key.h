// Finds a repeated key among the few of one object. Private to base.
#pragma once

#include <cstdint>
#include <string_view>

namespace weft {

// One bit of 64 by the key's length and ends: keys with different bits differ.
inline std::uint64_t key_bit(std::string_view key) {
  if (key.empty()) return 1;
  const auto first = static_cast<unsigned char>(key.front());
  const auto last = static_cast<unsigned char>(key.back());
  const auto middle = static_cast<unsigned char>(key[key.size() / 2]);
  const std::uint32_t mixed = static_cast<std::uint32_t>(key.size()) * 0x9e3779b1u +
                              first * 0x85ebca6bu + last * 0xc2b2ae35u + middle * 0x27d4eb2fu;
  return std::uint64_t{1} << (mixed >> 26);
}

// The number of the first key that was there before; `count` when there is none.
template <class KeyAt>
std::uint32_t repeated_key(std::uint32_t count, const KeyAt& key_at) {
  std::uint64_t seen = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string_view key = key_at(i);
    const std::uint64_t bit = key_bit(key);
    if ((seen & bit) != 0) {
      for (std::uint32_t j = 0; j < i; ++j)
        if (key_at(j) == key) return i;
    }
    seen |= bit;
  }
  return count;
}

}  // namespace weft
