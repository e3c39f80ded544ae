#include "base/decimal.h"

#include <gmock/gmock.h>

namespace weft {
namespace {

Decimal decimal(std::string_view lexeme) {
  const auto parsed = Decimal::parse(lexeme);
  EXPECT_TRUE(parsed.has_value()) << lexeme;
  return parsed.value_or(Decimal());
}

TEST(Decimal, WritesThePlainestForm) {
  const std::pair<const char*, const char*> forms[] = {
      {"0", "0"},
      {"-0.00", "0"},
      {"19.990", "19.99"},
      {"1e3", "1000"},
      {"-12.5e-4", "-0.00125"},
      {"1e400", "1e400"},
      {"1.5e-300", "1.5e-300"},
      {"123456789012345678.12", "123456789012345678.12"},
      {"50e-1", "5"}};

  for (const auto& [lexeme, text] : forms) EXPECT_EQ(decimal(lexeme).text(), text);
}

TEST(Decimal, HasOneFormPerValue) {
  EXPECT_EQ(decimal("1"), decimal("1.000"));
  EXPECT_EQ(decimal("1e2"), decimal("100"));
  EXPECT_EQ(decimal("0"), decimal("-0e7"));
  EXPECT_NE(decimal("9007199254740993"), decimal("9007199254740992"));
  EXPECT_EQ(Decimal(-1200), decimal("-1.2e3"));
}

TEST(Decimal, RefusesWhatJsonRefuses) {
  for (const char* lexeme : {"", "+1", "01", "1.", ".5", "1e", "0x1", "1 ", "--1", "NaN"})
    EXPECT_FALSE(Decimal::parse(lexeme).has_value()) << lexeme;
  EXPECT_FALSE(Decimal::parse("1e1000001").has_value());
  EXPECT_TRUE(Decimal::parse("1e-1000000").has_value());
}

TEST(Decimal, ConvertsToIntegersThatFit) {
  EXPECT_EQ(decimal("9223372036854775807").to_int64(), INT64_MAX);
  EXPECT_EQ(decimal("-9223372036854775808").to_int64(), INT64_MIN);
  EXPECT_EQ(decimal("9223372036854775808").to_int64(), std::nullopt);
  EXPECT_EQ(decimal("1.5").to_int64(), std::nullopt);
  EXPECT_EQ(decimal("12e2").to_int64(), 1200);
}

// Ascending; neighbours differ.
const char* const kAscending[] = {"-1e99999999999",
                                  "-1e400",
                                  "-123456789012345678901",
                                  "-2",
                                  "-1.5",
                                  "-1e-400",
                                  "0",
                                  "1e-400",
                                  "0.1",
                                  "0.10000000000000000001",
                                  "0.2",
                                  "1",
                                  "19.99",
                                  "2e1",
                                  "9007199254740992",
                                  "9007199254740993",
                                  "123456789012345678.12",
                                  "1e19",
                                  "1e400",
                                  "1e99999999999"};

TEST(CompareNumbers, OrdersByValueAtAnySize) {
  for (std::size_t i = 0; i < std::size(kAscending); ++i)
    for (std::size_t j = 0; j < std::size(kAscending); ++j)
      EXPECT_EQ(compare_numbers(kAscending[i], kAscending[j]), i <=> j)
          << kAscending[i] << " and " << kAscending[j];
}

TEST(CompareNumbers, SeesThroughDifferentSpellings) {
  EXPECT_EQ(compare_numbers("100", "1.00E+2"), std::strong_ordering::equal);
  EXPECT_EQ(compare_numbers("-0", "0.0"), std::strong_ordering::equal);
  EXPECT_EQ(compare_numbers("1000000000000000000000", "1e21"), std::strong_ordering::equal);
}

struct Multiple {
  const char* number;
  const char* divisor;
  bool is_multiple;
};

class MultipleOf : public testing::TestWithParam<Multiple> {};

TEST_P(MultipleOf, IsExact) {
  const auto& [number, divisor, expected] = GetParam();

  EXPECT_EQ(decimal(number).is_multiple_of(decimal(divisor)), expected);
  const auto small_number = SmallDecimal::parse(number);
  const auto small_divisor = SmallDecimal::parse(divisor);
  if (small_number && small_divisor) {
    EXPECT_EQ(small_number->is_multiple_of(*small_divisor), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, MultipleOf,
    testing::Values(
        Multiple{"19.99", "0.01", true}, Multiple{"19.995", "0.01", false},
        Multiple{"0", "7", true}, Multiple{"-21", "7", true}, Multiple{"0.3", "0.1", true},
        Multiple{"1e308", "0.123456789", false}, Multiple{"12391239123", "1e-8", true},
        Multiple{"1e400", "16", true}, Multiple{"1e3", "16", false}, Multiple{"1e4", "16", true},
        Multiple{"35", "10", false}, Multiple{"30", "1e1", true},
        Multiple{"0.0075", "0.0001", true}, Multiple{"0.00751", "0.0001", false},
        Multiple{"123456789012345678901234567890", "3", true},
        Multiple{"24691357802469135780246913578", "12345678901234567890123456789", true},
        Multiple{"24691357802469135780246913579", "12345678901234567890123456789", false},
        Multiple{"1e30", "1000000000000000000000000000000", true},
        Multiple{"1e65", "1152921504606846976000000", false},
        Multiple{"1e66", "1152921504606846976000000", true}, Multiple{"1.0", "1", true},
        Multiple{"1e-19", "1", false}));

}  // namespace
}  // namespace weft
