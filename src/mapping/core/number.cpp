#include "mapping/core/number.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/decimal.h"

namespace weft::mapping {
namespace {

constexpr Wide power_of_ten(int n) {
  Wide power = 1;
  for (; n > 0; --n) power *= 10;
  return power;
}
constexpr Wide kExactMax = power_of_ten(kExactDigits);  // beyond it there are more digits

Wide magnitude(Wide number) {
  return number < 0 ? -number : number;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<Exact> exact_of_lexeme(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  Exact exact;
  std::size_t at = 0;
  bool point = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.') {
      point = true;
    } else if (is_digit(c)) {
      if (exact.mantissa >= kExactMax) return std::nullopt;
      exact.mantissa = exact.mantissa * 10 + (c - '0');
      if (point) --exact.exponent;
    } else {
      break;
    }
  }
  if (at < text.size()) {  // e or E
    ++at;
    if (text[at] == '+') ++at;
    std::int32_t exponent = 0;
    const auto read = std::from_chars(text.data() + at, text.data() + text.size(), exponent);
    if (read.ec != std::errc{}) return std::nullopt;
    if (std::abs(exponent) > kExactExponent) return std::nullopt;
    exact.exponent += exponent;
  }
  while (exact.mantissa >= kExactMax && exact.mantissa % 10 == 0) {
    exact.mantissa /= 10;
    ++exact.exponent;
  }
  if (exact.mantissa >= kExactMax || std::abs(exact.exponent) > kExactExponent) return std::nullopt;
  if (negative) exact.mantissa = -exact.mantissa;
  return exact;
}

// mantissa * 10^exponent in one word each: what nearly all numbers are, and much the cheapest.
struct Small {
  std::int64_t mantissa = 0;
  std::int32_t exponent = 0;
};

constexpr std::size_t kSmallDigits = 18;  // any so many fit
constexpr auto kSmallPowers = [] {
  std::array<std::int64_t, kSmallDigits + 1> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

// False where it takes more: a long lexeme, one with an exponent, a double.
bool read_small(const Value& number, Small& small) {
  if (number.form() == Value::Form::Decimal) {
    small = {number.mantissa(), number.exponent()};
    return true;
  }
  if (number.form() == Value::Form::Double) return false;
  const std::string_view text = number.lexeme();
  const bool negative = text[0] == '-';
  if (text.size() > kSmallDigits) return false;
  const char* const end = text.data() + text.size();
  const char* point = end - 1;
  std::int64_t mantissa = 0;
  for (const char* at = text.data() + (negative ? 1 : 0); at < end; ++at) {
    if (is_digit(*at))
      mantissa = mantissa * 10 + (*at - '0');
    else if (*at == '.')
      point = at;
    else
      return false;
  }
  small = {negative ? -mantissa : mantissa, static_cast<std::int32_t>(point - end + 1)};
  return true;
}

// Brings both to the smaller exponent; false when that takes more than 64 bits.
bool align_small(Small& a, Small& b) {
  if (a.exponent == b.exponent) return true;
  Small& larger = a.exponent > b.exponent ? a : b;
  const Small& other = a.exponent > b.exponent ? b : a;
  const auto shift = static_cast<std::size_t>(larger.exponent - other.exponent);
  if (shift >= kSmallPowers.size()) return false;
  if (__builtin_mul_overflow(larger.mantissa, kSmallPowers[shift], &larger.mantissa)) return false;
  larger.exponent = other.exponent;
  return true;
}

double double_of_lexeme(std::string_view text) {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc::result_out_of_range) return value;
  const bool negative = text.starts_with('-');
  const bool huge = compare_numbers(negative ? text.substr(1) : text, "1") > 0;
  value = huge ? std::numeric_limits<double>::infinity() : 0.0;
  return negative ? -value : value;
}

constexpr std::size_t kWideDigits = 39;  // of 128 bits

// Writes the digits of a number that is not negative at the end of the room.
std::string_view digits_of(Wide number, std::array<char, kWideDigits>& room) {
  char* at = room.data() + room.size();
  for (; number > std::numeric_limits<std::int64_t>::max(); number /= 10)
    *--at = static_cast<char>('0' + static_cast<int>(number % 10));
  auto small = static_cast<std::uint64_t>(number);  // dividing 64 bits is much cheaper
  do {
    *--at = static_cast<char>('0' + small % 10);
    small /= 10;
  } while (small != 0);
  return {at, room.data() + room.size()};
}

std::string lexeme_of(const Exact& exact) {
  std::array<char, kWideDigits> room;
  std::string text = exact.mantissa < 0 ? "-" : "";
  text += digits_of(magnitude(exact.mantissa), room);
  if (exact.exponent != 0) text += 'e' + std::to_string(exact.exponent);
  return text;
}

// Brings both to the smaller exponent; false when that takes more digits than there are.
bool align(Exact& a, Exact& b) {
  if (a.mantissa == 0) a.exponent = b.exponent;
  if (b.mantissa == 0) b.exponent = a.exponent;
  Exact& larger = a.exponent > b.exponent ? a : b;
  const std::int32_t shift = std::abs(a.exponent - b.exponent);
  if (shift > kExactDigits + 2) return false;
  for (std::int32_t i = 0; i < shift; ++i) {
    if (magnitude(larger.mantissa) >= kExactMax) return false;
    larger.mantissa *= 10;
  }
  larger.exponent -= shift;
  return true;
}

std::optional<Exact> product(const Exact& a, const Exact& b) {
  Exact result;
  if (__builtin_mul_overflow(a.mantissa, b.mantissa, &result.mantissa)) return std::nullopt;
  result.exponent = a.exponent + b.exponent;
  return result;
}

Wide common_divisor(Wide a, Wide b) {
  while (b != 0) {
    const Wide rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

// Exact when the reduced divisor has no other factors than 2 and 5.
std::optional<Exact> quotient(Exact a, const Exact& b) {
  const Wide common = common_divisor(magnitude(a.mantissa), magnitude(b.mantissa));
  a.mantissa /= common;
  Wide divisor = b.mantissa / common;
  if (divisor < 0) {
    divisor = -divisor;
    a.mantissa = -a.mantissa;
  }
  a.exponent -= b.exponent;
  while (divisor != 1) {
    int factor = 10;
    if (divisor % 10 != 0) factor = divisor % 2 == 0 ? 2 : 5;
    if (divisor % factor != 0) return std::nullopt;
    divisor /= factor;
    if (__builtin_mul_overflow(a.mantissa, static_cast<Wide>(10 / factor), &a.mantissa))
      return std::nullopt;
    --a.exponent;
  }
  return a;
}

std::optional<Exact> calculate_exact(Arithmetic operation, Exact a, Exact b) {
  switch (operation) {
    case Arithmetic::Add:
    case Arithmetic::Subtract:
      if (!align(a, b)) return std::nullopt;
      a.mantissa = operation == Arithmetic::Add ? a.mantissa + b.mantissa : a.mantissa - b.mantissa;
      return a;
    case Arithmetic::Multiply:
      return product(a, b);
    case Arithmetic::Divide:
      return quotient(a, b);
  }
  return std::nullopt;
}

bool fits(Exact& exact) {
  while (magnitude(exact.mantissa) >= kExactMax && exact.mantissa % 10 == 0) {
    exact.mantissa /= 10;
    ++exact.exponent;
  }
  return magnitude(exact.mantissa) < kExactMax && std::abs(exact.exponent) <= kExactExponent;
}

double calculate_double(Arithmetic operation, double a, double b) {
  switch (operation) {
    case Arithmetic::Add:
      return a + b;
    case Arithmetic::Subtract:
      return a - b;
    case Arithmetic::Multiply:
      return a * b;
    case Arithmetic::Divide:
      return a / b;
  }
  return 0;
}

// False when the result needs more than 64 bits, and for divisions.
bool calculate_small(Arithmetic operation, Small a, Small b, Small& result) {
  if (operation == Arithmetic::Divide) return false;
  if (operation == Arithmetic::Multiply) {
    result.exponent = a.exponent + b.exponent;
    return !__builtin_mul_overflow(a.mantissa, b.mantissa, &result.mantissa);
  }
  if (!align_small(a, b)) return false;
  result.exponent = a.exponent;
  return operation == Arithmetic::Add
             ? !__builtin_add_overflow(a.mantissa, b.mantissa, &result.mantissa)
             : !__builtin_sub_overflow(a.mantissa, b.mantissa, &result.mantissa);
}

// Requires that the exponent is not positive.
Value number_of(Small small) {
  if (small.mantissa == 0) return Value::integer(0);
  for (; small.exponent < 0 && small.mantissa % 10 == 0; ++small.exponent) small.mantissa /= 10;
  return Value::decimal(small.mantissa, small.exponent);
}

// jq's layout: plain near the point, else with an exponent of at least two digits.
void append_digits(std::string& out, bool negative, std::string_view digits, int point) {
  if (negative) out += '-';
  const int count = static_cast<int>(digits.size());
  if (point <= -4 || point > count + 15) {
    out += digits[0];
    if (count > 1) out.append(".").append(digits.substr(1));
    const int exponent = point - 1;
    out += exponent < 0 ? "e-" : "e+";
    const std::string text = std::to_string(std::abs(exponent));
    if (text.size() < 2) out += '0';
    out += text;
  } else if (point <= 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-point), '0').append(digits);
  } else if (point >= count) {
    out.append(digits).append(static_cast<std::size_t>(point - count), '0');
  } else {
    out.append(digits.substr(0, static_cast<std::size_t>(point))).append(".");
    out.append(digits.substr(static_cast<std::size_t>(point)));
  }
}

void append_exact(std::string& out, const Exact& exact) {
  if (exact.mantissa == 0) {
    out += '0';
    return;
  }
  std::array<char, kWideDigits> room;
  std::string_view digits = digits_of(magnitude(exact.mantissa), room);
  const int point = static_cast<int>(digits.size()) + exact.exponent;
  while (digits.size() > 1 && digits.back() == '0') digits.remove_suffix(1);
  append_digits(out, exact.mantissa < 0, digits, point);
}

void append_double(std::string& out, double real) {
  if (std::isnan(real)) {
    out += "null";
    return;
  }
  if (std::isinf(real)) real = std::copysign(std::numeric_limits<double>::max(), real);
  if (real == 0) {
    out += std::signbit(real) ? "-0" : "0";
    return;
  }
  char room[40];
  const auto written =
      std::to_chars(room, room + sizeof room, std::abs(real), std::chars_format::scientific);
  const std::string_view text(room, static_cast<std::size_t>(written.ptr - room));
  const std::size_t e = text.find('e');
  std::string digits(text.substr(0, 1));
  if (e > 1) digits += text.substr(2, e - 2);
  const char* exponent_at = text.data() + e + 1;
  if (*exponent_at == '+') ++exponent_at;
  int exponent = 0;
  std::from_chars(exponent_at, written.ptr, exponent);
  append_digits(out, real < 0, digits, exponent + 1);
}

}  // namespace

std::optional<Exact> exact_of(const Value& number) {
  switch (number.form()) {
    case Value::Form::Decimal:
      return Exact{number.mantissa(), number.exponent()};
    case Value::Form::Double:
      return std::nullopt;
    default:
      return exact_of_lexeme(number.lexeme());
  }
}

double double_of(const Value& number) {
  switch (number.form()) {
    case Value::Form::Decimal:
      if (number.exponent() == 0) return static_cast<double>(number.mantissa());
      return double_of_lexeme(lexeme_of({number.mantissa(), number.exponent()}));
    case Value::Form::Double:
      return number.real();
    default:
      return double_of_lexeme(number.lexeme());
  }
}

bool is_nan(const Value& number) {
  return number.form() == Value::Form::Double && std::isnan(number.real());
}

Value number_of(double real) {
  constexpr double kWholeMax = 9007199254740992.0;
  if (std::abs(real) < kWholeMax && real == std::trunc(real) && !(real == 0 && std::signbit(real)))
    return Value::integer(static_cast<std::int64_t>(real));
  return Value::real(real);
}

Value number_of(std::size_t count) {
  return Value::integer(static_cast<std::int64_t>(count));
}

Value number_of(Exact exact) {
  constexpr Wide kSmallMax = std::numeric_limits<std::int64_t>::max();
  while (exact.exponent > 0 && magnitude(exact.mantissa) <= kSmallMax / 10) {
    exact.mantissa *= 10;
    --exact.exponent;
  }
  if (exact.mantissa == 0) return Value::integer(0);
  if (magnitude(exact.mantissa) <= kSmallMax)
    return number_of(Small{static_cast<std::int64_t>(exact.mantissa), exact.exponent});
  while (exact.exponent < 0 && exact.mantissa % 10 == 0) {
    exact.mantissa /= 10;
    ++exact.exponent;
  }
  if (magnitude(exact.mantissa) <= kSmallMax)
    return Value::decimal(static_cast<std::int64_t>(exact.mantissa), exact.exponent);
  std::string text;
  append_exact(text, exact);
  return Value::new_lexeme(text);
}

std::optional<Value> number_from(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with('-')) rest.remove_prefix(1);
  if (rest == "nan") return Value::real(std::numeric_limits<double>::quiet_NaN());
  std::size_t whole = 0;
  while (whole < rest.size() && is_digit(rest[whole])) ++whole;
  std::size_t at = whole;
  std::size_t fraction = 0;
  if (at < rest.size() && rest[at] == '.') {
    ++at;
    while (at < rest.size() && is_digit(rest[at])) ++at, ++fraction;
  }
  if (whole + fraction == 0) return std::nullopt;
  const std::size_t mantissa_end = at;
  if (at < rest.size() && (rest[at] == 'e' || rest[at] == 'E')) {
    ++at;
    if (at < rest.size() && (rest[at] == '+' || rest[at] == '-')) ++at;
    const std::size_t digits = at;
    while (at < rest.size() && is_digit(rest[at])) ++at;
    if (at == digits) return std::nullopt;
  }
  if (at != rest.size()) return std::nullopt;
  // Made valid JSON: no leading zeros, digits on both sides of a point.
  std::string lexeme = text.starts_with('-') ? "-" : "";
  std::string_view digits = rest.substr(0, whole);
  while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
  lexeme += digits.empty() ? "0" : digits;
  if (fraction > 0) lexeme.append(rest.substr(whole, fraction + 1));
  lexeme += rest.substr(mantissa_end);
  return Value::new_lexeme(lexeme);
}

Value calculate(Arithmetic operation, const Value& a, const Value& b, bool& rounded) {
  Small first;
  Small second;
  Small small;
  if (read_small(a, first) && read_small(b, second) &&
      calculate_small(operation, first, second, small) && small.exponent <= 0 &&
      small.exponent >= -kExactExponent)
    return number_of(small);
  const auto left = exact_of(a);
  const auto right = left ? exact_of(b) : std::nullopt;
  if (right) {
    auto result = calculate_exact(operation, *left, *right);
    if (result && fits(*result)) return number_of(*result);
  }
  rounded = true;
  return number_of(calculate_double(operation, double_of(a), double_of(b)));
}

std::int64_t whole_part(const Value& number) {
  if (number.is_small_integer()) return number.mantissa();
  constexpr Wide kMax = std::numeric_limits<std::int64_t>::max();
  if (auto exact = exact_of(number)) {
    for (; exact->exponent < 0 && exact->mantissa != 0; ++exact->exponent) exact->mantissa /= 10;
    for (; exact->exponent > 0 && magnitude(exact->mantissa) <= kMax; --exact->exponent)
      exact->mantissa *= 10;
    if (exact->mantissa > kMax) return std::numeric_limits<std::int64_t>::max();
    if (exact->mantissa < -kMax) return std::numeric_limits<std::int64_t>::min();
    return static_cast<std::int64_t>(exact->mantissa);
  }
  const double real = double_of(number);
  if (real >= 9223372036854775808.0) return std::numeric_limits<std::int64_t>::max();
  if (!(real > -9223372036854775808.0)) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(real);
}

Value remainder(const Value& a, const Value& b) {
  if (is_nan(a) || is_nan(b)) return Value::real(std::numeric_limits<double>::quiet_NaN());
  const std::int64_t left = whole_part(a);
  const std::int64_t right = whole_part(b);
  // The sign is the dividend's, the divisor's does not count.
  const auto size = [](std::int64_t n) {
    return n < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n);
  };
  const auto rest = static_cast<std::int64_t>(size(left) % size(right));
  return Value::integer(left < 0 ? -rest : rest);
}

Value negated(const Value& number) {
  if (number.form() == Value::Form::Double) return number_of(-number.real());
  if (const auto exact = exact_of(number)) {
    if (exact->mantissa == 0) return Value::real(-0.0);
    return number_of(Exact{-exact->mantissa, exact->exponent});
  }
  const std::string_view text = number.lexeme();
  return text.starts_with('-') ? Value::new_lexeme(text.substr(1))
                               : Value::new_lexeme("-" + std::string(text));
}

Value absolute(const Value& number) {
  return compare_values_of_numbers(number, Value::integer(0)) < 0 ? negated(number) : number;
}

bool is_zero(const Value& number) {
  if (const auto exact = exact_of(number)) return exact->mantissa == 0;
  return number.form() == Value::Form::Double ? number.real() == 0
                                              : compare_numbers(number.lexeme(), "0") == 0;
}

Value rounded_down(const Value& number) {
  auto exact = exact_of(number);
  if (!exact) return number_of(std::floor(double_of(number)));
  if (exact->exponent >= 0) return number;
  bool cut = false;
  for (; exact->exponent < 0 && exact->mantissa != 0; ++exact->exponent) {
    cut = cut || exact->mantissa % 10 < 0;
    exact->mantissa /= 10;
  }
  exact->exponent = 0;
  if (cut) --exact->mantissa;
  return number_of(*exact);
}

int compare_values_of_numbers(const Value& a, const Value& b) {
  if (a.is_small_integer() && b.is_small_integer())
    return a.mantissa() < b.mantissa() ? -1 : (a.mantissa() > b.mantissa() ? 1 : 0);
  if (is_nan(a)) return -1;
  if (is_nan(b)) return 1;
  if (a.form() == Value::Form::Double || b.form() == Value::Form::Double) {
    const double left = double_of(a);
    const double right = double_of(b);
    return left < right ? -1 : (left > right ? 1 : 0);
  }
  Small first;
  Small second;
  if (read_small(a, first) && read_small(b, second) && align_small(first, second))
    return first.mantissa < second.mantissa ? -1 : (first.mantissa > second.mantissa ? 1 : 0);
  auto left = exact_of(a);
  auto right = exact_of(b);
  std::strong_ordering order = std::strong_ordering::equal;
  if (left && right && align(*left, *right)) {
    order = left->mantissa <=> right->mantissa;
  } else {
    const auto text = [](const Value& number, const std::optional<Exact>& exact) {
      return number.form() == Value::Form::Decimal ? lexeme_of(exact ? *exact : Exact{})
                                                   : std::string(number.lexeme());
    };
    order = compare_numbers(text(a, exact_of(a)), text(b, exact_of(b)));
  }
  return order < 0 ? -1 : (order > 0 ? 1 : 0);
}

void append_number(std::string& out, const Value& number) {
  switch (number.form()) {
    case Value::Form::Decimal:
      if (number.exponent() == 0) {
        char room[24];
        const auto end = std::to_chars(room, room + sizeof room, number.mantissa()).ptr;
        out.append(room, static_cast<std::size_t>(end - room));
      } else {
        append_exact(out, {number.mantissa(), number.exponent()});
      }
      return;
    case Value::Form::Double:
      append_double(out, number.real());
      return;
    default:
      out += number.lexeme();
  }
}

}  // namespace weft::mapping
