#include "eventlog/core/varint.h"

#include <gmock/gmock.h>

#include <limits>

namespace weft::eventlog {
namespace {

TEST(Varint, RoundTripsTheEdgesOfItsRange) {
  for (const std::int64_t number :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1}, std::int64_t{63}, std::int64_t{-64},
        std::int64_t{64}, std::numeric_limits<std::int64_t>::max(),
        std::numeric_limits<std::int64_t>::min()}) {
    std::string bytes;
    append_varint(bytes, number);
    const char* at = bytes.data();
    std::int64_t back = 7;
    EXPECT_TRUE(read_varint(at, bytes.data() + bytes.size(), back));
    EXPECT_EQ(back, number);
    EXPECT_EQ(at, bytes.data() + bytes.size());
    EXPECT_EQ(bytes.size(), uvarint_size(zigzag(number)));
  }
}

TEST(Varint, RefusesNumbersThatEndEarlyOrAreTooWide) {
  const auto accepts = [](std::string bytes, int bits) {
    const char* at = bytes.data();
    std::uint64_t value = 0;
    return read_uvarint(at, bytes.data() + bytes.size(), value, bits);
  };
  EXPECT_FALSE(accepts("", 64));
  EXPECT_FALSE(accepts("\x80", 64));
  EXPECT_TRUE(accepts("\xff\xff\xff\xff\x0f", 32));
  EXPECT_FALSE(accepts("\xff\xff\xff\xff\x1f", 32));
  EXPECT_FALSE(accepts("\xff\xff\xff\xff\xff\x01", 32));
  EXPECT_FALSE(accepts("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 64));
}

}  // namespace
}  // namespace weft::eventlog
