// The words of a jq program. Texts with interpolations are read piece by piece by the parser.
// Private to mapping.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::mapping {

enum class TokenKind : std::uint8_t {
  End,
  Name,      // also a::b and keywords
  Field,     // .name
  Variable,  // $name
  Number,
  Format,  // @name
  Quote,   // the start of a text
  Sign,
  Wrong,  // text is what is wrong
};

struct Token {
  TokenKind kind = TokenKind::End;
  std::string_view text;  // without the leading . $ @
  std::uint32_t offset = 0;

  bool is(std::string_view sign) const { return kind == TokenKind::Sign && text == sign; }
  bool is_word(std::string_view word) const { return kind == TokenKind::Name && text == word; }
};

bool is_keyword(std::string_view name);

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  Token next();
  std::string_view source() const { return source_; }

  // After a Quote: reads characters up to the closing quote or \( and says which of both came.
  enum class Piece : std::uint8_t { End, Interpolation, Wrong };
  Piece read_text(std::string& out);
  const Error& error() const { return error_; }

 private:
  void skip_space();
  Token token(TokenKind kind, std::size_t begin, std::size_t skipped) const;
  bool read_escape(std::string& out);
  bool read_unicode(std::string& out);
  bool refuse(std::size_t at, std::string problem);

  std::string_view source_;
  std::size_t at_ = 0;
  Error error_;
};

// "line:column: problem" for a byte offset of a program.
Error error_at(std::string_view source, std::size_t offset, std::string_view problem);

}  // namespace weft::mapping
