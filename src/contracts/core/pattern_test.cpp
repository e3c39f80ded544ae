#include "contracts/core/pattern.h"

#include <gmock/gmock.h>
#include <re2/re2.h>

namespace weft::contracts {
namespace {

using testing::HasSubstr;

bool matches(std::string_view ecma, std::string_view text) {
  const auto pattern = Pattern::compile(ecma);
  EXPECT_TRUE(pattern.has_value()) << ecma << ": " << pattern.error().message;
  return pattern && pattern->matches(text);
}

std::string pattern_refusal(std::string_view ecma) {
  const auto pattern = Pattern::compile(ecma);
  return pattern ? "accepted" : pattern.error().message;
}

TEST(Pattern, MeansWhatEcmaMeans) {
  EXPECT_TRUE(matches("b", "abc")) << "not anchored";
  EXPECT_FALSE(matches("^a$", "a\n")) << "$ is the end alone";
  EXPECT_TRUE(matches("^\\u00e9\\x41\\cJ$", "éA\n"));
  EXPECT_TRUE(matches("^\\uD83D\\uDE00$", "😀"));
  EXPECT_TRUE(matches("^\\u{1F600}$", "😀"));
  EXPECT_TRUE(matches("^a\\/b$", "a/b"));
  EXPECT_FALSE(matches("^\\d$", "٣")) << "digits are ASCII";
  EXPECT_FALSE(matches("^\\w$", "é"));
  EXPECT_TRUE(matches("^\\s$", "\u00a0"));
  EXPECT_FALSE(matches("^\\S$", "\u2003"));
  EXPECT_TRUE(matches("^[\\s\\S]$", "é"));
  EXPECT_FALSE(matches("^[^\\S]$", "x"));
  EXPECT_FALSE(matches("^.$", "\u2028"));
  EXPECT_FALSE(matches("^.$", "\r"));
  EXPECT_TRUE(matches("^[^]$", "\n"));
  EXPECT_FALSE(matches("[]", "x"));
  EXPECT_TRUE(matches("^[[:alpha:]]$", ":]")) << "no POSIX classes";
  EXPECT_TRUE(matches("^(?<year>\\d{4})$", "2026"));
  EXPECT_TRUE(matches("^\\p{Letter}\\p{Script=Greek}$", "éλ"));
  EXPECT_TRUE(matches("\\bcat\\b", "the cat sat"));
  EXPECT_TRUE(matches("^[\\b]$", "\b"));
  EXPECT_TRUE(matches("^a\\0b$", std::string_view("a\0b", 3)));
}

TEST(Pattern, RefusesWhatLinearTimeCannotDo) {
  for (const char* ecma : {"(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", "(a)\\1", "(?<n>a)\\k<n>"})
    EXPECT_THAT(pattern_refusal(ecma), HasSubstr("cannot run in linear time")) << ecma;
}

TEST(Pattern, RefusesWhatIsNotEcma) {
  for (const char* ecma : {"(", "[a", "a**", "\\", "\\Z", "\\A", "\\a", "(?i)a", "(?P<n>a)",
                           "\\ud800", "\\p{Nope}", "\\xZ1", "\\c1", "a{2,1}", "x{1,5000}"})
    EXPECT_NE(pattern_refusal(ecma), "accepted") << ecma;
}

TEST(Pattern, RunsInLinearTime) {
  // A backtracking engine needs 2^40 steps for this.
  EXPECT_FALSE(matches("^(a+)+$", std::string(5000, 'a') + "b"));
}

TEST(SimplePattern, TakesCommonShapes) {
  for (const char* ecma :
       {"^ORD-[0-9]{6}$", "^[A-Z]{3}$", "^[a-z][a-z0-9_.-]*$", "^\\+?[0-9]{7,15}$", "^https://",
        "^[^@]+@[^@]+$", "^\\d{4}-\\d{2}$", "^$"})
    EXPECT_TRUE(SimplePattern::parse(ecma).has_value()) << ecma;
}

TEST(SimplePattern, LeavesTheRestToRe2) {
  for (const char* ecma :
       {"abc", "^a|b$", "^(ab)$", "^.*$", "^[a-z]+[a-c]$", "^a*ab$", "^é$", "^[^a]$", "^[^a]{2}$",
        "^\\s$", "^a+?$", "^a$b", "^[\\d-x]$", "^[]$", "^a{,3}$", "^a{1}{2}$", "^\\u0041$"})
    EXPECT_FALSE(SimplePattern::parse(ecma).has_value()) << ecma;
}

TEST(SimplePattern, AgreesWithRe2) {
  const char* const patterns[] = {"^ORD-[0-9]{2}$",   "^[a-c]{1,3}x?$", "^\\+?[0-9]{2,4}$",
                                  "^[^@]+@[^@]*$",    "^a*b*c+$",       "^ab?",
                                  "^[\\w.]+-[A-Z-]$", "^\\d*\\.\\d+$"};
  const std::string_view alphabet = "abcxORD-0129+@.A_é\n";
  std::uint64_t state = 42;
  const auto random = [&state](std::size_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>(state >> 33) % below;
  };

  for (const char* const ecma : patterns) {
    const auto simple = SimplePattern::parse(ecma);
    ASSERT_TRUE(simple.has_value()) << ecma;
    const re2::RE2 oracle(*translate_ecma_pattern(ecma));
    for (int i = 0; i < 3000; ++i) {
      std::string text;
      for (std::size_t n = random(8); n > 0; --n) {
        const std::size_t at = random(alphabet.size());
        if (static_cast<unsigned char>(alphabet[at]) >= 0x80)
          text += "é";
        else
          text += alphabet[at];
      }
      ASSERT_EQ(simple->matches(text), re2::RE2::PartialMatch(text, oracle)) << ecma << " " << text;
    }
  }
}

TEST(SimplePattern, ComparesAFixedNumberOfCharactersAtOnce) {
  for (const char* const ecma :
       {"^[A-Z]{3}-[0-9]{4}$", "^[A-Z]{3}-[0-9]{5}$", "^[A-Z]{3}-[0-9]{12}$", "^[A-Z]{3}-[0-9]{7}",
        "^[A-Z]{3}-[0-9]{13}$", "^[A-Z]{3}-[0-9]{2}$"}) {
    const auto simple = SimplePattern::parse(ecma);
    ASSERT_TRUE(simple.has_value()) << ecma;
    const re2::RE2 oracle(*translate_ecma_pattern(ecma));
    // Each prefix of a text that fits, also with one byte changed.
    const std::string fitting = "ABZ-01234567890123456789";
    for (std::size_t size = 0; size <= fitting.size(); ++size) {
      for (std::size_t at = 0; at <= size; ++at) {
        for (const char other : {'0', '9', ':', '/', 'A', 'Z', '[', '@', '-', '\0', '\x7f'}) {
          std::string text = fitting.substr(0, size);
          if (at < size) text[at] = other;
          ASSERT_EQ(simple->matches(text), re2::RE2::PartialMatch(text, oracle))
              << ecma << " " << text;
        }
      }
    }
    EXPECT_FALSE(simple->matches("ABZ-0123é56789012345")) << ecma;
  }
}

}  // namespace
}  // namespace weft::contracts
