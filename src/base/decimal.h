// Decimal arithmetic on JSON number lexemes, exact at any length. Values; any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft {

// A number of at most 18 digits as mantissa * 10^exponent: the allocation-free form for hot paths.
// Not canonical: 1.0 and 1 are equal with different members.
struct SmallDecimal {
  std::int64_t mantissa = 0;
  std::int32_t exponent = 0;

  // Absent when the number has more digits (leading zeros count) or an exponent beyond ±1,000,000.
  // Requires a JSON number.
  static std::optional<SmallDecimal> parse(std::string_view lexeme);
  // Requires divisor > 0.
  bool is_multiple_of(const SmallDecimal& divisor) const;

  friend std::strong_ordering operator<=>(const SmallDecimal& a, const SmallDecimal& b);
  friend bool operator==(const SmallDecimal& a, const SmallDecimal& b) { return (a <=> b) == 0; }
};

// How a number without an exponent is written: often that decides a comparison. The sign does not
// count.
struct PlainDecimal {
  std::uint32_t whole_digits = 0;  // before the point
  std::uint32_t places = 0;        // after it

  // Absent when there is an exponent. Requires a JSON number.
  static std::optional<PlainDecimal> of(std::string_view lexeme) {
    const auto count_digits = [](const char* from, const char* end) {
      const char* at = from;
      while (at < end && *at >= '0' && *at <= '9') ++at;
      return static_cast<std::uint32_t>(at - from);
    };
    const char* at = lexeme.data();
    const char* const end = at + lexeme.size();
    if (*at == '-') ++at;
    PlainDecimal plain{count_digits(at, end), 0};
    at += plain.whole_digits;
    if (at < end && *at == '.') {
      plain.places = count_digits(at + 1, end);
      at += 1 + plain.places;
    }
    return at == end ? std::optional(plain) : std::nullopt;
  }
};

// A number as sign, decimal digits and a power of ten. Canonical: no leading or trailing zeros in
// the digits, zero is {false, "", 0}; so equal values are equal members.
class Decimal {
 public:
  Decimal() = default;
  explicit Decimal(std::int64_t number);
  // A JSON number (RFC 8259 section 6). An exponent beyond ±1,000,000 is refused.
  static Result<Decimal> parse(std::string_view lexeme);

  bool is_integer() const { return exponent_ >= 0; }
  bool is_zero() const { return digits_.empty(); }
  std::optional<std::int64_t> to_int64() const;
  // Plain notation where it stays under 40 characters, else with an exponent.
  std::string text() const;

  // Whether this = n * divisor for an integer n. Requires divisor > 0.
  bool is_multiple_of(const Decimal& divisor) const;

  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);
  friend bool operator==(const Decimal& a, const Decimal& b) = default;

 private:
  bool negative_ = false;
  std::string digits_;         // most significant first
  std::int32_t exponent_ = 0;  // value = ±digits * 10^exponent
};

// Compares two JSON numbers of any size, without allocation when both are small. Exponents beyond
// ±10^17 count as that.
std::strong_ordering compare_numbers(std::string_view a, std::string_view b);

}  // namespace weft
