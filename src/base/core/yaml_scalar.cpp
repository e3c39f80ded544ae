#include "base/core/yaml_scalar.h"

#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <optional>

namespace weft {
namespace {

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words)
    if (text == word) return true;
  return false;
}

std::string_view take_digits(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && text[n] >= '0' && text[n] <= '9') ++n;
  const std::string_view digits = text.substr(0, n);
  text.remove_prefix(n);
  return digits;
}

std::string_view without_leading_zeros(std::string_view digits) {
  while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
  return digits.empty() ? "0" : digits;
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
std::optional<std::string> decimal_lexeme(std::string_view text) {
  std::string out;
  if (text.starts_with('-')) out = "-";
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const std::string_view whole = take_digits(text);
  std::string_view fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take_digits(text);
  }
  if (whole.empty() && fraction.empty()) return std::nullopt;
  out += without_leading_zeros(whole);
  if (!fraction.empty()) out.append(".").append(fraction);
  if (text.empty()) return out;
  if (text[0] != 'e' && text[0] != 'E') return std::nullopt;
  out += 'e';
  text.remove_prefix(1);
  if (text.starts_with('-')) out += '-';
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const std::string_view exponent = take_digits(text);
  if (exponent.empty() || !text.empty()) return std::nullopt;
  return out.append(exponent);
}

// Whether the text is 0x… or 0o… and if so its value, which is absent beyond 64 bits.
bool is_based_number(std::string_view text, std::optional<std::uint64_t>& number) {
  if (!text.starts_with("0x") && !text.starts_with("0o")) return false;
  const bool hex = text[1] == 'x';
  const std::string_view digits = text.substr(2);
  if (digits.empty()) return false;
  if (digits.find_first_not_of(hex ? "0123456789abcdefABCDEF" : "01234567") !=
      std::string_view::npos)
    return false;
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  if (std::from_chars(digits.data(), end, value, hex ? 16 : 8).ec == std::errc{}) number = value;
  return true;
}

}  // namespace

Result<YamlScalar> resolve_plain_scalar(std::string_view text) {
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return YamlScalar{Json::Type::Null, {}};
  if (is_one_of(text, {"true", "True", "TRUE"})) return YamlScalar{Json::Type::True, {}};
  if (is_one_of(text, {"false", "False", "FALSE"})) return YamlScalar{Json::Type::False, {}};

  std::string_view unsigned_text = text;
  if (text[0] == '-' || text[0] == '+') unsigned_text.remove_prefix(1);
  if (is_one_of(unsigned_text, {".inf", ".Inf", ".INF"}) ||
      is_one_of(text, {".nan", ".NaN", ".NAN"}))
    return fail(ErrorCode::InvalidArgument,
                "{} is not a number that JSON has; write it in quotes if text is meant", text);

  std::optional<std::uint64_t> based;
  if (is_based_number(text, based)) {
    if (!based) return fail(ErrorCode::InvalidArgument, "{} is larger than 64 bits", text);
    return YamlScalar{Json::Type::Number, std::to_string(*based)};
  }
  if (auto lexeme = decimal_lexeme(text)) return YamlScalar{Json::Type::Number, std::move(*lexeme)};
  return YamlScalar{Json::Type::String, {}};
}

}  // namespace weft
