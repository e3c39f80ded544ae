#include "crypto/passphrase.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace weft::crypto {
namespace {

// RFC 7914 section 12; the vectors have 64 bytes, of which a key takes the first 32.
TEST(Passphrase, GivesTheKeysOfTheSpecification) {
  auto first = key_from_passphrase("password", "NaCl", {1024, 8, 16});
  auto second = key_from_passphrase("pleaseletmein", "SodiumChloride", {16384, 8, 1});

  EXPECT_EQ(to_hex(first.value().reveal()),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162");
  EXPECT_EQ(to_hex(second.value().reveal()),
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
}

TEST(Passphrase, GivesAnotherKeyForAnotherSalt) {
  EXPECT_NE(key_from_passphrase("words", std::string(kSaltBytes, 'a'))->reveal(),
            key_from_passphrase("words", std::string(kSaltBytes, 'b'))->reveal());
}

TEST(Passphrase, RefusesACostThatIsNoneOrTooHigh) {
  EXPECT_EQ(key_from_passphrase("words", "salt", {1000, 8, 1}).error().code,
            ErrorCode::InvalidArgument);
  EXPECT_EQ(key_from_passphrase("words", "salt", {1 << 20, 8, 1}).error().code,
            ErrorCode::InvalidArgument);
}

}  // namespace
}  // namespace weft::crypto
