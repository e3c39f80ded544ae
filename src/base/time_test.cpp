#include "base/time.h"

#include <gmock/gmock.h>

namespace weft {
namespace {

TEST(Rfc3339, IsWrittenInUtcWithMilliseconds) {
  EXPECT_EQ(to_rfc3339(from_unix_ms(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(from_unix_ms(1772366400123)), "2026-03-01T12:00:00.123Z");
  EXPECT_EQ(to_rfc3339(from_unix_ms(-1)), "1969-12-31T23:59:59.999Z");
}

TEST(Rfc3339, IsReadWithAnyOffsetAndFraction) {
  const auto noon = from_unix_ms(1772366400000);
  for (const char* text :
       {"2026-03-01T12:00:00Z", "2026-03-01t12:00:00.000z", "2026-03-01 12:00:00Z",
        "2026-03-01T17:30:00+05:30", "2026-03-01T04:00:00.0-08:00"}) {
    const auto time = parse_rfc3339(text);
    ASSERT_TRUE(time.has_value()) << text;
    EXPECT_EQ(*time, noon) << text;
  }
  EXPECT_EQ(*parse_rfc3339("2026-03-01T12:00:00.1234567891Z"), noon + 123456789ns);
  EXPECT_EQ(*parse_rfc3339("2016-12-31T23:59:60Z"), *parse_rfc3339("2017-01-01T00:00:00Z"));
}

TEST(Rfc3339, IsRefusedWhenTheCalendarHasNoSuchTime) {
  for (const char* text :
       {"", "2026-03-01", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-03-01T24:00:00Z",
        "2026-03-01T12:60:00Z", "2026-03-01T12:00:00", "2026-03-01T12:00:00.Z",
        "2026-03-01T12:00:00+24:00", "2026-03-01T12:00:00Zx", "9999-01-01T00:00:00Z"})
    EXPECT_FALSE(parse_rfc3339(text).has_value()) << text;
}

TEST(HttpDate, ReadsWhatItWrites) {
  const auto time = parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");

  ASSERT_TRUE(time.has_value());
  EXPECT_EQ(to_unix_ms(*time), 784111777000);
  EXPECT_EQ(to_http_date(*time), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_FALSE(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT").has_value());
  EXPECT_FALSE(parse_http_date("Sun, 31 Nov 1994 08:49:37 GMT").has_value());
}

TEST(Duration, ReadsUnitsAndChains) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("30s"), 30s);
  EXPECT_EQ(parse_duration("5m"), 5min);
  EXPECT_EQ(parse_duration("12h"), 12h);
  EXPECT_EQ(parse_duration("7d"), 168h);
  EXPECT_EQ(parse_duration("1h30m"), 90min);
  EXPECT_EQ(parse_duration("0s"), 0s);
}

TEST(Duration, IsRefusedWhenAmbiguousOrTooLong) {
  for (const char* text :
       {"", "5", "-5s", "1.5h", "5 s", "s", "30m1h", "1h1h", "5weeks", "999999d"})
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
}

TEST(Duration, WritesWhatItReads) {
  for (const char* text : {"0s", "250ms", "1h30m", "7d", "1d1h1m1s1ms1us1ns"}) {
    const auto duration = parse_duration(text);
    ASSERT_TRUE(duration.has_value()) << text;
    EXPECT_EQ(to_text(*duration), text);
  }
  EXPECT_EQ(to_text(-90s), "-1m30s");
}

}  // namespace
}  // namespace weft
