// Regular expressions of JSON Schema (ECMA-262) that run in linear time: common anchored shapes
// such as
// ^[A-Z]{2}-\d{6}$ run as a list of character sets, everything else as RE2. Look-around and
// back-references, which no linear engine has, are refused. Immutable; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace weft::contracts {

// An anchored sequence of character sets with counts, matched from the left without going back.
class SimplePattern {
 public:
  // Absent when the expression is more than that, or when a repetition could take what follows it.
  static std::optional<SimplePattern> parse(std::string_view ecma);
  bool matches(std::string_view text) const;

 private:
  friend class SimplePatternParser;
  struct Item {
    std::array<std::uint64_t, 4> bytes{};
    std::uint32_t min = 1;
    std::uint32_t max = 1;

    bool has(unsigned char c) const { return (bytes[c >> 6] >> (c & 63) & 1) != 0; }
    bool meets(const Item& other) const;
  };
  bool is_deterministic() const;
  // ^ORD-[0-9]{6}$ and the like: one range of bytes for each of a fixed number of characters.
  // Compared all at once: the first eight against the lower half of the bounds, the last eight
  // against the upper one, whether they overlap or not.
  struct Fixed {
    using Bytes [[gnu::vector_size(16)]] = std::uint8_t;
    Bytes low{};
    Bytes high{};
    std::uint32_t size = 0;

    bool matches(std::string_view text, bool to_end) const;
  };
  void find_fixed();

  std::vector<Item> items_;
  bool to_end_ = false;
  std::optional<Fixed> fixed_;
};

class Pattern {
 public:
  // The error says which part is not supported or wrong.
  static Result<Pattern> compile(std::string_view ecma);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // Whether some part of the text matches, as JSON Schema's `pattern` asks.
  bool matches(std::string_view text) const {
    return simple_ ? simple_->matches(text) : matches_with_re2(text);
  }
  const std::string& text() const { return text_; }
  bool is_simple() const { return simple_.has_value(); }

 private:
  Pattern();
  bool matches_with_re2(std::string_view text) const;

  std::string text_;
  std::optional<SimplePattern> simple_;
  std::unique_ptr<re2::RE2> re2_;
};

// The expression in RE2's syntax.
Result<std::string> translate_ecma_pattern(std::string_view ecma);

}  // namespace weft::contracts
