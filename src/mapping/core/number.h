// Numbers of jq values: exact decimals of up to 34 digits, doubles where a result is not exact, and
// lexemes that were only moved. Private to mapping.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mapping/core/value.h"

namespace weft::mapping {

__extension__ using Wide = __int128;

// mantissa * 10^exponent, at most kExactDigits digits.
struct Exact {
  Wide mantissa = 0;
  std::int32_t exponent = 0;
};

inline constexpr int kExactDigits = 34;               // as IEEE 754 decimal128 has
inline constexpr std::int32_t kExactExponent = 6000;  // at most, either way

// Absent when the number is a double or has more digits.
std::optional<Exact> exact_of(const Value& number);
double double_of(const Value& number);
bool is_nan(const Value& number);

// An integer where the double is one below 2^53.
Value number_of(double real);
Value number_of(Exact exact);
Value number_of(std::size_t count);
// A lexeme in jq's grammar of numbers (also .5, 5. and nan); absent when it is none.
std::optional<Value> number_from(std::string_view text);

enum class Arithmetic : std::uint8_t { Add, Subtract, Multiply, Divide };

// `rounded` is set when the result is a double that need not be the true one. Divisors are not 0.
Value calculate(Arithmetic operation, const Value& a, const Value& b, bool& rounded);
// jq's remainder of the whole parts. The divisor's whole part is not 0.
Value remainder(const Value& a, const Value& b);
Value negated(const Value& number);
Value absolute(const Value& number);
bool is_zero(const Value& number);
// The whole part as jq takes it for remainders: cut to 64 bits.
std::int64_t whole_part(const Value& number);
Value rounded_down(const Value& number);

// nan is less than every number, itself included.
int compare_values_of_numbers(const Value& a, const Value& b);

// As jq writes it; a lexeme as it is; nan is null, infinities the largest double.
void append_number(std::string& out, const Value& number);

}  // namespace weft::mapping
