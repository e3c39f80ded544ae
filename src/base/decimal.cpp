#include "base/decimal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <vector>

#include "base/text_scan.h"

namespace weft {
namespace {

constexpr std::int64_t kExponentMax = 1'000'000;
constexpr std::int64_t kExponentTextMax = 100'000'000'000'000'000;
constexpr int kSmallDigitsMax = 18;

constexpr auto kPowersOfTen = [] {
  std::array<std::int64_t, kSmallDigitsMax + 1> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

// The parts of a JSON number; digits runs over both sides of the point.
struct Lexeme {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  std::int64_t exponent = 0;
};

std::optional<Lexeme> split(std::string_view text) {
  Lexeme parts;
  std::size_t at = 0;
  auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return text.substr(from, at - from);
  };
  if (text.starts_with('-')) {
    parts.negative = true;
    ++at;
  }
  parts.whole = digits();
  if (parts.whole.empty() || (parts.whole.size() > 1 && parts.whole[0] == '0')) return std::nullopt;
  if (at < text.size() && text[at] == '.') {
    ++at;
    parts.fraction = digits();
    if (parts.fraction.empty()) return std::nullopt;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    const bool minus = at < text.size() && text[at] == '-';
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::string_view exponent = digits();
    if (exponent.empty()) return std::nullopt;
    for (const char c : exponent)
      parts.exponent = std::min(parts.exponent * 10 + (c - '0'), kExponentTextMax);
    if (minus) parts.exponent = -parts.exponent;
  }
  if (at != text.size()) return std::nullopt;
  return parts;
}

// ±digits * 10^exponent without leading or trailing zeros; zero has no digits.
struct Canonical {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;
};

Canonical canonical(const Lexeme& parts) {
  Canonical out;
  out.digits.reserve(parts.whole.size() + parts.fraction.size());
  out.digits = parts.whole;
  out.digits += parts.fraction;
  const std::size_t first = out.digits.find_first_not_of('0');
  if (first == std::string::npos) return {};
  out.digits.erase(0, first);
  const std::size_t last = out.digits.find_last_not_of('0') + 1;
  out.exponent = parts.exponent - static_cast<std::int64_t>(parts.fraction.size()) +
                 static_cast<std::int64_t>(out.digits.size() - last);
  out.digits.resize(last);
  out.negative = parts.negative;
  return out;
}

struct CanonicalView {
  bool negative;
  std::string_view digits;
  std::int64_t exponent;
};

std::strong_ordering compare_canonical(const CanonicalView& a, const CanonicalView& b) {
  const int sign_a = a.digits.empty() ? 0 : a.negative ? -1 : 1;
  const int sign_b = b.digits.empty() ? 0 : b.negative ? -1 : 1;
  if (sign_a != sign_b || sign_a == 0) return sign_a <=> sign_b;
  const std::int64_t magnitude_a = static_cast<std::int64_t>(a.digits.size()) + a.exponent;
  const std::int64_t magnitude_b = static_cast<std::int64_t>(b.digits.size()) + b.exponent;
  // Without trailing zeros, digits of equal magnitude compare as text.
  const auto absolute =
      magnitude_a != magnitude_b ? magnitude_a <=> magnitude_b : a.digits.compare(b.digits) <=> 0;
  return sign_a > 0 ? absolute : 0 <=> absolute;
}

// A natural number of any size, least significant limb of nine digits first.
class Natural {
 public:
  explicit Natural(std::string_view digits) {
    for (std::size_t end = digits.size(); end > 0;) {
      const std::size_t from = end > 9 ? end - 9 : 0;
      std::uint32_t limb = 0;
      for (std::size_t i = from; i < end; ++i)
        limb = limb * 10 + static_cast<std::uint32_t>(digits[i] - '0');
      limbs_.push_back(limb);
      end = from;
    }
  }
  bool is_zero() const { return limbs_.empty(); }
  void append_digit(std::uint32_t digit) {
    std::uint64_t carry = digit;
    for (std::uint32_t& limb : limbs_) {
      carry += std::uint64_t{limb} * 10;
      limb = static_cast<std::uint32_t>(carry % kBase);
      carry /= kBase;
    }
    if (carry > 0) limbs_.push_back(static_cast<std::uint32_t>(carry));
  }
  bool is_less_than(const Natural& other) const {
    if (limbs_.size() != other.limbs_.size()) return limbs_.size() < other.limbs_.size();
    return std::lexicographical_compare(limbs_.rbegin(), limbs_.rend(), other.limbs_.rbegin(),
                                        other.limbs_.rend());
  }
  // Requires other <= this.
  void subtract(const Natural& other) {
    std::int64_t borrow = 0;
    for (std::size_t i = 0; i < limbs_.size(); ++i) {
      std::int64_t limb = std::int64_t{limbs_[i]} - borrow -
                          (i < other.limbs_.size() ? std::int64_t{other.limbs_[i]} : 0);
      borrow = limb < 0 ? 1 : 0;
      if (limb < 0) limb += kBase;
      limbs_[i] = static_cast<std::uint32_t>(limb);
    }
    while (!limbs_.empty() && limbs_.back() == 0) limbs_.pop_back();
  }

 private:
  static constexpr std::uint32_t kBase = 1'000'000'000;
  std::vector<std::uint32_t> limbs_;
};

std::uint64_t multiply_modulo(std::uint64_t a, std::uint64_t b, std::uint64_t modulus) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(a) * b % modulus);
}

// Whether digits * 10^zeros divides by a divisor of at most 18 digits.
bool divides_small(std::string_view digits, std::int64_t zeros, std::uint64_t divisor) {
  std::uint64_t rest = 0;
  for (std::size_t i = 0; i < digits.size();) {
    const std::size_t n = std::min<std::size_t>(digits.size() - i, 9);
    std::uint64_t group = 0;
    for (std::size_t k = 0; k < n; ++k)
      group = group * 10 + static_cast<std::uint64_t>(digits[i + k] - '0');
    rest = (multiply_modulo(rest, static_cast<std::uint64_t>(kPowersOfTen[n]), divisor) + group) %
           divisor;
    i += n;
  }
  for (std::uint64_t base = 10 % divisor; zeros > 0; zeros >>= 1) {
    if ((zeros & 1) != 0) rest = multiply_modulo(rest, base, divisor);
    base = multiply_modulo(base, base, divisor);
  }
  return rest == 0;
}

bool divides_large(std::string_view digits, std::int64_t zeros, std::string_view divisor_digits) {
  const Natural divisor(divisor_digits);
  Natural rest("");
  // Zeros only help with the factors 2 and 5 of the divisor, of which it has fewer than its bits.
  const auto zeros_that_help = static_cast<std::int64_t>(divisor_digits.size()) * 4;
  const auto steps = static_cast<std::int64_t>(digits.size()) + std::min(zeros, zeros_that_help);
  for (std::int64_t i = 0; i < steps; ++i) {
    const auto place = static_cast<std::size_t>(i);
    rest.append_digit(place < digits.size() ? static_cast<std::uint32_t>(digits[place] - '0') : 0);
    while (!rest.is_less_than(divisor)) rest.subtract(divisor);
  }
  return rest.is_zero();
}

std::strong_ordering compare_small(const SmallDecimal& a, const SmallDecimal& b) {
  __extension__ using Wide = __int128;
  if (a.exponent == b.exponent || a.mantissa == 0 || b.mantissa == 0)
    return a.mantissa <=> b.mantissa;
  if ((a.mantissa < 0) != (b.mantissa < 0)) return a.mantissa <=> b.mantissa;
  const std::int64_t up = std::int64_t{a.exponent} - b.exponent;
  if (up > kSmallDigitsMax) return a.mantissa <=> 0;  // |a| >= 10^19 units of b, |b| < 10^18
  if (up < -kSmallDigitsMax) return 0 <=> b.mantissa;
  const Wide left =
      up > 0 ? Wide{a.mantissa} * kPowersOfTen[static_cast<std::size_t>(up)] : Wide{a.mantissa};
  const Wide right =
      up < 0 ? Wide{b.mantissa} * kPowersOfTen[static_cast<std::size_t>(-up)] : Wide{b.mantissa};
  return left < right   ? std::strong_ordering::less
         : left > right ? std::strong_ordering::greater
                        : std::strong_ordering::equal;
}

}  // namespace

std::optional<SmallDecimal> SmallDecimal::parse(std::string_view lexeme) {
  std::size_t at = lexeme.starts_with('-') ? 1 : 0;
  std::int64_t mantissa = 0;
  std::int32_t exponent = 0;
  int digits = 0;
  bool after_point = false;
  for (; at < lexeme.size(); ++at) {
    const char c = lexeme[at];
    if (is_digit(c)) {
      if (++digits > kSmallDigitsMax) return std::nullopt;
      mantissa = mantissa * 10 + (c - '0');
      exponent -= after_point ? 1 : 0;
    } else if (c == '.') {
      after_point = true;
    } else {
      break;
    }
  }
  if (at < lexeme.size()) {
    std::string_view text = lexeme.substr(at + 1);
    if (text.starts_with('+')) text.remove_prefix(1);
    std::int32_t written = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), written);
    if (error != std::errc{} || written > kExponentMax || written < -kExponentMax)
      return std::nullopt;
    exponent += written;
  }
  return SmallDecimal{lexeme.starts_with('-') ? -mantissa : mantissa, exponent};
}

std::strong_ordering operator<=>(const SmallDecimal& a, const SmallDecimal& b) {
  return compare_small(a, b);
}

bool SmallDecimal::is_multiple_of(const SmallDecimal& divisor) const {
  if (mantissa == 0) return true;
  const auto magnitude = static_cast<std::uint64_t>(mantissa < 0 ? -mantissa : mantissa);
  const auto by = static_cast<std::uint64_t>(divisor.mantissa);
  const std::int64_t zeros = std::int64_t{exponent} - divisor.exponent;
  if (zeros >= 0) {
    std::uint64_t rest = magnitude % by;
    for (std::int64_t i = 0; i < zeros && rest != 0 && i < 64; ++i)
      rest = multiply_modulo(rest, 10, by);
    return rest == 0;
  }
  if (zeros < -kSmallDigitsMax) return false;
  const auto scale = static_cast<std::uint64_t>(kPowersOfTen[static_cast<std::size_t>(-zeros)]);
  return magnitude % scale == 0 && magnitude / scale % by == 0;
}

Decimal::Decimal(std::int64_t number) {
  auto parsed = parse(std::to_string(number));
  *this = *std::move(parsed);
}

Result<Decimal> Decimal::parse(std::string_view lexeme) {
  const auto parts = split(lexeme);
  if (!parts) return fail(ErrorCode::InvalidArgument, "not a JSON number");
  Canonical number = canonical(*parts);
  if (std::abs(parts->exponent) > kExponentMax && !number.digits.empty())
    return fail(ErrorCode::OutOfRange, "the exponent of a number is beyond ±{}", kExponentMax);
  Decimal result;
  result.negative_ = number.negative;
  result.digits_ = std::move(number.digits);
  result.exponent_ = static_cast<std::int32_t>(number.exponent);
  return result;
}

std::optional<std::int64_t> Decimal::to_int64() const {
  if (digits_.empty()) return 0;
  if (exponent_ < 0 || digits_.size() + static_cast<std::size_t>(exponent_) > 19)
    return std::nullopt;
  std::string text = negative_ ? "-" : "";
  text += digits_;
  text.append(static_cast<std::size_t>(exponent_), '0');
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} ? std::optional(value) : std::nullopt;
}

std::string Decimal::text() const {
  constexpr std::int64_t kPlainMax = 40;
  if (digits_.empty()) return "0";
  std::string out = negative_ ? "-" : "";
  const auto count = static_cast<std::int64_t>(digits_.size());
  const std::int64_t point = count + exponent_;  // digits before the point
  const std::int64_t length = point <= 0 ? count - point + 2 : std::max(point, count + 1);
  if (length >= kPlainMax) {
    out += digits_[0];
    if (count > 1) out.append(".").append(digits_, 1);
    return out + fmt::format("e{}", point - 1);
  }
  if (exponent_ >= 0) return out.append(digits_).append(static_cast<std::size_t>(exponent_), '0');
  if (point <= 0) return out.append("0.").append(static_cast<std::size_t>(-point), '0') + digits_;
  const auto whole = static_cast<std::size_t>(point);
  return out.append(digits_, 0, whole).append(".").append(digits_, whole);
}

bool Decimal::is_multiple_of(const Decimal& divisor) const {
  if (digits_.empty()) return true;
  const std::int64_t zeros = std::int64_t{exponent_} - divisor.exponent_;
  // Our digits do not end in 0, so they are no multiple of a power of ten.
  if (zeros < 0) return false;
  if (divisor.digits_.size() > kSmallDigitsMax)
    return divides_large(digits_, zeros, divisor.digits_);
  std::uint64_t small = 0;
  for (const char c : divisor.digits_) small = small * 10 + static_cast<std::uint64_t>(c - '0');
  return divides_small(digits_, zeros, small);
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
  return compare_canonical({a.negative_, a.digits_, a.exponent_},
                           {b.negative_, b.digits_, b.exponent_});
}

std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
  const auto small_a = SmallDecimal::parse(a);
  const auto small_b = small_a ? SmallDecimal::parse(b) : std::nullopt;
  if (small_a && small_b) return *small_a <=> *small_b;
  const Canonical left = canonical(split(a).value_or(Lexeme()));
  const Canonical right = canonical(split(b).value_or(Lexeme()));
  return compare_canonical({left.negative, left.digits, left.exponent},
                           {right.negative, right.digits, right.exponent});
}

}  // namespace weft
