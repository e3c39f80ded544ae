#include "crypto/keyed_hash.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace weft::crypto {
namespace {

TEST(KeyedHash, AgreesWithFips180) {
  EXPECT_EQ(to_hex(hash(HashAlgorithm::Sha256, "abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(hash(HashAlgorithm::Sha512, "abc")),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(KeyedHash, AgreesWithRfc4231) {
  constexpr std::string_view kText = "what do ya want for nothing?";
  EXPECT_EQ(to_hex(hmac(HashAlgorithm::Sha256, "Jefe", kText)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac(HashAlgorithm::Sha512, "Jefe", kText)),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
}

// The first half of each key of section 11, which are twice as long.
TEST(Pbkdf2, AgreesWithRfc7914) {
  EXPECT_EQ(to_hex(pbkdf2(HashAlgorithm::Sha256, "passwd", "salt", 1)),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
  EXPECT_EQ(to_hex(pbkdf2(HashAlgorithm::Sha256, "Password", "NaCl", 80000)),
            "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
}

TEST(Pbkdf2, GivesAsManyBytesAsItsHashHas) {
  EXPECT_EQ(to_hex(pbkdf2(HashAlgorithm::Sha512, "passwd", "salt", 1)),
            "c74319d99499fc3e9013acff597c23c5baf0a0bec5634c46b8352b793e324723"
            "d55caa76b2b25c43402dcfdc06cdcf66f95b7d0429420b39520006749c51a04e");
}

}  // namespace
}  // namespace weft::crypto
