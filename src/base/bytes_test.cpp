#include "base/bytes.h"

#include <gmock/gmock.h>

#include "base/uuid.h"

namespace weft {
namespace {

TEST(Bytes, StoresNumbersBigEndian) {
  std::string out;
  append_be(out, std::uint32_t{0x01020304});
  append_be(out, std::int16_t{-2});

  EXPECT_EQ(to_hex(out), "01020304fffe");
  EXPECT_EQ(load_be<std::uint32_t>(out.data()), 0x01020304u);
  EXPECT_EQ(load_be<std::int16_t>(out.data() + 4), -2);
}

TEST(Hex, ReadsBothCasesAndRefusesTheRest) {
  EXPECT_EQ(from_hex("00ffA0"), std::string("\0\xff\xa0", 3));
  EXPECT_FALSE(from_hex("abc").has_value());
  EXPECT_FALSE(from_hex("zz").has_value());
}

TEST(Base64, MatchesTheVectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};

  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
}

TEST(Base64, UsesTheUrlSafeAlphabetWithoutPadding) {
  EXPECT_EQ(to_base64url("\xfb\xff\xfe\x01"), "-__-AQ");
  EXPECT_EQ(from_base64url("-__-AQ"), "\xfb\xff\xfe\x01");
  EXPECT_EQ(from_base64("+//+AQ"), "\xfb\xff\xfe\x01") << "padding may be missing";
  EXPECT_FALSE(from_base64("-__-AQ==").has_value());
}

TEST(Base64, RefusesTextsThatAreNotCanonical) {
  EXPECT_FALSE(from_base64("Z").has_value());
  EXPECT_FALSE(from_base64("Zh==").has_value()) << "unused bits set";
  EXPECT_FALSE(from_base64("Zg=").has_value());
  EXPECT_FALSE(from_base64("Zm9v\n").has_value());
}

TEST(Crc32c, MatchesTheVectorsOfRfc3720) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST(Crc32c, IsTheSameWithAndWithoutTheInstructionAndInParts) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) {
    bytes += static_cast<char>(i * 7);
    ASSERT_EQ(crc32c(bytes), crc32c_without_instruction(bytes)) << bytes.size();
  }
  EXPECT_EQ(crc32c(bytes.substr(333), crc32c(bytes.substr(0, 333))), crc32c(bytes));
}

TEST(Utf8, IsJudgedAsRfc3629Says) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("plain ascii that is longer than sixteen bytes, é, €, 😀"));
  EXPECT_FALSE(is_utf8("\x80"));
  EXPECT_FALSE(is_utf8("\xc0\x80")) << "overlong";
  EXPECT_FALSE(is_utf8("\xed\xa0\x80")) << "surrogate";
  EXPECT_FALSE(is_utf8("\xf4\x90\x80\x80")) << "beyond U+10FFFF";
  EXPECT_FALSE(is_utf8("0123456789abcdef\xe2\x82")) << "cut";
}

TEST(Fnv1a, IsStable) {
  EXPECT_EQ(fnv1a(""), 0xcbf29ce484222325u);
  EXPECT_EQ(fnv1a("foobar"), 0x85944171f73967e8u);
}

TEST(Uuid, WritesAndReadsItsTextForm) {
  const auto id = Uuid::parse("0190163D-8694-739b-aea5-966c26f8ad91");

  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->text(), "0190163d-8694-739b-aea5-966c26f8ad91");
  for (const char* bad :
       {"", "0190163d8694739baea5966c26f8ad91", "0190163d-8694-739b-aea5-966c26f8ad9g",
        "0190163d-8694-739b-aea5_966c26f8ad91"})
    EXPECT_FALSE(Uuid::parse(bad).has_value()) << bad;
}

TEST(Uuid, PutsTimeVersionAndVariantWhereRfc9562Says) {
  const Uuid id = Uuid::v7(from_unix_ms(0x0190163d8694), ~0ull, ~0ull);

  EXPECT_EQ(id.text(), "0190163d-8694-7fff-bfff-ffffffffffff");
  EXPECT_EQ(Uuid::v7(from_unix_ms(1), 0, 0).text(), "00000000-0001-7000-8000-000000000000");
  EXPECT_EQ(Uuid::v4(~0ull, ~0ull).text(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

TEST(Uuid, OfALaterMillisecondSortsBehind) {
  EXPECT_LT(Uuid::v7(from_unix_ms(1000), ~0ull, ~0ull), Uuid::v7(from_unix_ms(1001), 0, 0));
}

}  // namespace
}  // namespace weft
