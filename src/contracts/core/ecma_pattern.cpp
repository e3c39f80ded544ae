// ECMA-262 patterns in RE2's syntax. What means the same in both is copied; what differs is
// rewritten; what RE2 lacks, and what it has beyond ECMA-262, is refused.
#include <array>
#include <cstdint>

#include "base/ascii.h"
#include "contracts/core/pattern.h"

namespace weft::contracts {
namespace {

constexpr std::string_view kLineEnds = "\\n\\r\\x{2028}\\x{2029}";
// White space and line ends of ECMA-262 (sections 12.2 and 12.3), as the inside of a set, and the
// rest.
constexpr std::string_view kSpaces =
    "\\t-\\r "
    "\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";
constexpr std::string_view kNonSpaces =
    "\\x00-\\x08\\x0e-\\x1f!-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{"
    "202a}-\\x{202e}"
    "\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}";

struct LongName {
  std::string_view name, letter;
};
constexpr std::array<LongName, 37> kCategories = {{{"Letter", "L"},
                                                   {"Lowercase_Letter", "Ll"},
                                                   {"Modifier_Letter", "Lm"},
                                                   {"Other_Letter", "Lo"},
                                                   {"Titlecase_Letter", "Lt"},
                                                   {"Uppercase_Letter", "Lu"},
                                                   {"Mark", "M"},
                                                   {"Spacing_Mark", "Mc"},
                                                   {"Enclosing_Mark", "Me"},
                                                   {"Nonspacing_Mark", "Mn"},
                                                   {"Number", "N"},
                                                   {"Decimal_Number", "Nd"},
                                                   {"digit", "Nd"},
                                                   {"Letter_Number", "Nl"},
                                                   {"Other_Number", "No"},
                                                   {"Punctuation", "P"},
                                                   {"punct", "P"},
                                                   {"Connector_Punctuation", "Pc"},
                                                   {"Dash_Punctuation", "Pd"},
                                                   {"Close_Punctuation", "Pe"},
                                                   {"Final_Punctuation", "Pf"},
                                                   {"Initial_Punctuation", "Pi"},
                                                   {"Other_Punctuation", "Po"},
                                                   {"Open_Punctuation", "Ps"},
                                                   {"Symbol", "S"},
                                                   {"Currency_Symbol", "Sc"},
                                                   {"Modifier_Symbol", "Sk"},
                                                   {"Math_Symbol", "Sm"},
                                                   {"Other_Symbol", "So"},
                                                   {"Separator", "Z"},
                                                   {"Line_Separator", "Zl"},
                                                   {"Paragraph_Separator", "Zp"},
                                                   {"Space_Separator", "Zs"},
                                                   {"Other", "C"},
                                                   {"Control", "Cc"},
                                                   {"cntrl", "Cc"},
                                                   {"Format", "Cf"}}};

class Translator {
 public:
  explicit Translator(std::string_view text) : text_(text) {}

  Result<std::string> run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\\') {
        CHECK(escape(false));
      } else if (c == '[') {
        CHECK(set());
      } else if (c == '(') {
        CHECK(group());
      } else {
        if (c == '.')
          out_.append("[^").append(kLineEnds).append("]");
        else if (c == '$')
          out_ += "\\z";
        else if (c == '^')
          out_ += "\\A";
        else
          out_ += c;
        ++at_;
      }
    }
    return std::move(out_);
  }

 private:
  bool next_is(std::string_view word) const { return text_.substr(at_).starts_with(word); }
  static Failure lacking(std::string_view what) {
    return fail(ErrorCode::Unsupported,
                "{} cannot run in linear time and is not supported in patterns", what);
  }
  Failure wrong(std::string_view what) const {
    return fail(ErrorCode::InvalidArgument, "{} at character {} of the pattern", what, at_ + 1);
  }
  void put_code(std::uint32_t code) { out_ += fmt::format("\\x{{{:x}}}", code); }

  Result<> group() {
    if (next_is("(?=") || next_is("(?!")) return lacking("look-ahead (?= or (?!");
    if (next_is("(?<=") || next_is("(?<!")) return lacking("look-behind (?<= or (?<!");
    if (next_is("(?<")) {
      out_ += "(?P<";
      at_ += 3;
    } else if (next_is("(?:")) {
      out_ += "(?:";
      at_ += 3;
    } else if (next_is("(?")) {
      return wrong("this kind of group is not ECMA-262");
    } else {
      out_ += '(';
      ++at_;
    }
    return {};
  }

  Result<> set() {
    ++at_;
    if (next_is("]")) {
      out_ += "[^\\x00-\\x{10ffff}]";
      ++at_;
      return {};
    }
    if (next_is("^]")) {
      out_ += "[\\x00-\\x{10ffff}]";
      at_ += 2;
      return {};
    }
    out_ += '[';
    if (next_is("^")) {
      out_ += '^';
      ++at_;
    }
    while (at_ < text_.size() && text_[at_] != ']') {
      if (text_[at_] == '\\') {
        CHECK(escape(true));
        continue;
      }
      if (text_[at_] == '[' || text_[at_] == '^') out_ += '\\';
      out_ += text_[at_++];
    }
    if (at_ == text_.size()) return wrong("a set [ has no end");
    out_ += ']';
    ++at_;
    return {};
  }

  Result<> escape(bool in_set) {
    if (at_ + 1 == text_.size()) return wrong("a backslash has nothing behind it");
    const char c = text_[at_ + 1];
    switch (c) {
      case 'd':
      case 'D':
      case 'w':
      case 'W':
      case 'n':
      case 'r':
      case 't':
      case 'v':
      case 'f':
        return copy(2);
      case 's':
      case 'S':
        return space(c == 's', in_set);
      case 'b':
        if (in_set)
          out_ += "\\x08";
        else
          out_ += "\\b";
        at_ += 2;
        return {};
      case 'B':
        return in_set ? Result<>(wrong("\\B inside a set")) : copy(2);
      case 'c':
        return control();
      case 'x':
        return code_point(2);
      case 'u':
        return next_is("\\u{") ? braced_code_point() : code_point(4);
      case 'p':
      case 'P':
        return property();
      case 'k':
        return lacking("a back-reference \\k");
      default:
        break;
    }
    if (c == '0' &&
        !(at_ + 2 < text_.size() && hex_digit(text_[at_ + 2]) >= 0 && text_[at_ + 2] <= '9')) {
      out_ += "\\x00";
      at_ += 2;
      return {};
    }
    if (c >= '0' && c <= '9') return lacking("a back-reference such as \\1");
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || byte >= 0x80)
      return wrong("an escape that ECMA-262 does not have");
    if (c == '/' || c == ' ')
      out_ += c;
    else
      out_.append("\\").append(1, c);
    at_ += 2;
    return {};
  }

  Result<> copy(std::size_t count) {
    out_ += text_.substr(at_, count);
    at_ += count;
    return {};
  }

  Result<> space(bool positive, bool in_set) {
    if (in_set)
      out_ += positive ? kSpaces : kNonSpaces;
    else
      out_.append(positive ? "[" : "[^").append(kSpaces).append("]");
    at_ += 2;
    return {};
  }

  Result<> control() {
    const char letter = at_ + 2 < text_.size() ? text_[at_ + 2] : '\0';
    if (!((letter | 0x20) >= 'a' && (letter | 0x20) <= 'z'))
      return wrong("\\c needs a letter behind it");
    put_code(static_cast<std::uint32_t>(letter) % 32);
    at_ += 3;
    return {};
  }

  // Digits at a place; -1 when they are not there.
  std::int32_t hex_at(std::size_t from, std::size_t digits) const {
    if (from + digits > text_.size()) return -1;
    std::int32_t code = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const int value = hex_digit(text_[from + i]);
      if (value < 0) return -1;
      code = code * 16 + value;
    }
    return code;
  }

  Result<> code_point(std::size_t digits) {
    std::int32_t code = hex_at(at_ + 2, digits);
    if (code < 0) return wrong("\\x needs two and \\u four hexadecimal digits");
    std::size_t length = 2 + digits;
    if (code >= 0xd800 && code < 0xe000) {
      const bool pair = code < 0xdc00 && text_.substr(at_ + length).starts_with("\\u");
      const std::int32_t low = pair ? hex_at(at_ + length + 2, 4) : -1;
      if (low < 0xdc00 || low > 0xdfff) return wrong("half of a surrogate pair");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      length += 6;
    }
    put_code(static_cast<std::uint32_t>(code));
    at_ += length;
    return {};
  }

  Result<> braced_code_point() {
    const std::size_t close = text_.find('}', at_);
    const std::size_t digits = close == std::string_view::npos ? 0 : close - at_ - 3;
    const std::int32_t code = digits >= 1 && digits <= 6 ? hex_at(at_ + 3, digits) : -1;
    if (code < 0 || code > 0x10ffff) return wrong("\\u{ needs a code point");
    put_code(static_cast<std::uint32_t>(code));
    at_ = close + 1;
    return {};
  }

  Result<> property() {
    const std::size_t close = text_.find('}', at_);
    if (at_ + 2 >= text_.size() || text_[at_ + 2] != '{' || close == std::string_view::npos)
      return wrong("\\p needs a name in braces");
    std::string_view name = text_.substr(at_ + 3, close - at_ - 3);
    for (const std::string_view prefix :
         {"Script=", "sc=", "Script_Extensions=", "scx=", "General_Category=", "gc="})
      if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
    for (const LongName& category : kCategories)
      if (name == category.name) name = category.letter;
    if (name == "ASCII")
      out_ += text_[at_ + 1] == 'p' ? "[:ascii:]" : "[:^ascii:]";
    else
      out_.append("\\").append(1, text_[at_ + 1]).append("{").append(name).append("}");
    at_ = close + 1;
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

Result<std::string> translate_ecma_pattern(std::string_view ecma) {
  return Translator(ecma).run();
}

}  // namespace weft::contracts
