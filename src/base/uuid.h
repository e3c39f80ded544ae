// A universally unique identifier (RFC 9562), 16 bytes in network order. Values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace weft {

class Uuid {
 public:
  Uuid() = default;  // the nil UUID

  // Version 7: 48 bits of milliseconds since 1970, then 74 of the given random bits. Ids of one
  // millisecond do not sort among themselves.
  static Uuid v7(WallTime now, std::uint64_t random_high, std::uint64_t random_low);
  // Version 4 from random bits.
  static Uuid v4(std::uint64_t random_high, std::uint64_t random_low);
  static Uuid from_bytes(const std::array<char, 16>& bytes);
  // The 36-character form, either case.
  static Result<Uuid> parse(std::string_view text);

  std::string text() const;
  std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }
  bool is_nil() const { return *this == Uuid(); }

  auto operator<=>(const Uuid&) const = default;

 private:
  std::array<char, 16> bytes_{};
};

}  // namespace weft

template <>
struct std::hash<weft::Uuid> {
  std::size_t operator()(const weft::Uuid& id) const noexcept {
    return std::hash<std::string_view>{}(id.bytes());
  }
};
