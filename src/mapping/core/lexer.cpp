#include "mapping/core/lexer.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/json.h"
#include "base/utf8.h"

namespace weft::mapping {
namespace {

bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_decimal(char c) {
  return c >= '0' && c <= '9';
}
bool continues_name(char c) {
  return starts_name(c) || is_decimal(c);
}

// Longest first.
constexpr std::array<std::string_view, 34> kSigns = {
    "?//", "//=", "..", "==", "!=", "<=", ">=", "|=", "+=", "-=", "*=", "/=",
    "%=",  "//",  ".",  "[",  "]",  "{",  "}",  "(",  ")",  "|",  ",",  ":",
    ";",   "=",   "<",  ">",  "+",  "-",  "*",  "/",  "%",  "?"};

}  // namespace

bool is_keyword(std::string_view name) {
  constexpr std::array<std::string_view, 18> kWords = {
      "def", "module", "import",  "include", "if",    "then",  "else", "elif", "as",
      "end", "reduce", "foreach", "try",     "catch", "label", "and",  "or",   "__loc__"};
  return std::find(kWords.begin(), kWords.end(), name) != kWords.end();
}

Error error_at(std::string_view source, std::size_t offset, std::string_view problem) {
  const TextPosition place = position_at(source, static_cast<std::uint32_t>(offset));
  return {ErrorCode::InvalidArgument, fmt::format("{}:{}: {}", place.line, place.column, problem)};
}

void Lexer::skip_space() {
  while (at_ < source_.size()) {
    const char c = source_[at_];
    if (c == '#') {
      // A backslash continues a comment on the next line.
      while (at_ < source_.size() && source_[at_] != '\n') {
        if (source_[at_] == '\\' && at_ + 1 < source_.size()) ++at_;
        if (source_.substr(at_).starts_with("\r\n") && source_[at_ - 1] == '\\') ++at_;
        ++at_;
      }
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++at_;
    } else {
      return;
    }
  }
}

Token Lexer::token(TokenKind kind, std::size_t begin, std::size_t skipped) const {
  return {kind, source_.substr(begin + skipped, at_ - begin - skipped),
          static_cast<std::uint32_t>(begin)};
}

Token Lexer::next() {
  skip_space();
  const std::size_t begin = at_;
  if (at_ == source_.size()) return token(TokenKind::End, begin, 0);
  const char c = source_[at_];
  const char after = at_ + 1 < source_.size() ? source_[at_ + 1] : '\0';
  const auto read_name = [this] {
    while (at_ < source_.size() && continues_name(source_[at_])) ++at_;
  };
  if (starts_name(c)) {
    read_name();
    while (source_.substr(at_).starts_with("::") && at_ + 2 < source_.size() &&
           starts_name(source_[at_ + 2])) {
      at_ += 2;
      read_name();
    }
    return token(TokenKind::Name, begin, 0);
  }
  if (c == '"') {
    ++at_;
    return token(TokenKind::Quote, begin, 0);
  }
  if (is_decimal(c) || (c == '.' && is_decimal(after))) {
    const auto read_digits = [this] {
      while (at_ < source_.size() && is_decimal(source_[at_])) ++at_;
    };
    read_digits();
    if (at_ < source_.size() && source_[at_] == '.') {
      ++at_;
      read_digits();
    }
    if (at_ < source_.size() && (source_[at_] == 'e' || source_[at_] == 'E')) {
      std::size_t digits = at_ + 1;
      if (digits < source_.size() && (source_[digits] == '+' || source_[digits] == '-')) ++digits;
      if (digits < source_.size() && is_decimal(source_[digits])) {
        at_ = digits;
        read_digits();
      }
    }
    return token(TokenKind::Number, begin, 0);
  }
  if ((c == '.' || c == '$' || c == '@') && starts_name(after)) {
    ++at_;
    read_name();
    if (c == '$' && source_.substr(at_).starts_with("::")) {
      at_ += 2;
      read_name();
    }
    return token(c == '.' ? TokenKind::Field : (c == '$' ? TokenKind::Variable : TokenKind::Format),
                 begin, 1);
  }
  for (const std::string_view sign : kSigns) {
    if (!source_.substr(at_).starts_with(sign)) continue;
    at_ += sign.size();
    return token(TokenKind::Sign, begin, 0);
  }
  at_ += std::max(1u, utf8_length(source_.data() + at_, source_.data() + source_.size()));
  return token(TokenKind::Wrong, begin, 0);
}

bool Lexer::refuse(std::size_t at, std::string problem) {
  error_ = error_at(source_, at, problem);
  return false;
}

Lexer::Piece Lexer::read_text(std::string& out) {
  while (at_ < source_.size()) {
    const char c = source_[at_];
    if (c == '"') {
      ++at_;
      return Piece::End;
    }
    if (c == '\\') {
      if (source_.substr(at_).starts_with("\\(")) {
        at_ += 2;
        return Piece::Interpolation;
      }
      if (!read_escape(out)) return Piece::Wrong;
    } else {
      out += c;
      ++at_;
    }
  }
  refuse(source_.size(), "a text has no closing quote");
  return Piece::Wrong;
}

bool Lexer::read_escape(std::string& out) {
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const char c = at_ + 1 < source_.size() ? source_[at_ + 1] : '\0';
  if (c == 'u') return read_unicode(out);
  const std::size_t found = c == '\0' ? std::string_view::npos : kNames.find(c);
  if (found == std::string_view::npos)
    return refuse(at_,
                  "no such escape in a text: write \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX "
                  "or \\(expression)");
  out += kMeanings[found];
  at_ += 2;
  return true;
}

bool Lexer::read_unicode(std::string& out) {
  const auto hex4 = [this](std::size_t at) {
    if (at + 4 > source_.size()) return -1;
    int code = 0;
    for (std::size_t i = at; i < at + 4; ++i) {
      const int digit = hex_digit(source_[i]);
      if (digit < 0) return -1;
      code = code * 16 + digit;
    }
    return code;
  };
  int code = hex4(at_ + 2);
  if (code < 0) return refuse(at_, "\\u needs four hexadecimal digits");
  at_ += 6;
  if (code >= 0xd800 && code < 0xdc00 && source_.substr(at_).starts_with("\\u")) {
    const int low = hex4(at_ + 2);
    if (low >= 0xdc00 && low < 0xe000) {
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      at_ += 6;
    }
  }
  if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
  char room[4];
  out.append(room, utf8_put(room, static_cast<std::uint32_t>(code)));
  return true;
}

}  // namespace weft::mapping
