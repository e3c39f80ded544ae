#include "crypto/aead.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "crypto/test_vectors.h"

namespace weft::crypto {
namespace {

Aead aead_of(std::string_view key) {
  return Aead::from_key(KeyHandle::copy_of(key)).value();
}

struct GcmCase {
  std::string_view key, nonce, bound, plain, sealed;
};

// The GCM specification (McGrew, Viega), test cases 13, 14 and 16.
constexpr GcmCase kGcmCases[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

TEST(Aead, AgreesWithTheGcmSpecification) {
  for (const auto& [key, nonce, bound, plain, sealed] : kGcmCases) {
    auto aead = aead_of(unhex(key));

    EXPECT_EQ(to_hex(aead.seal(unhex(nonce), unhex(plain), unhex(bound))), sealed);
    EXPECT_EQ(aead.open(unhex(nonce), unhex(sealed), unhex(bound)).value(), unhex(plain));
  }
}

TEST(Aead, OpensNothingThatWasTouched) {
  const auto aead = aead_of(std::string(32, 'k'));
  const std::string nonce(12, 'n');
  const auto sealed = aead.seal(nonce, "plain text", "tenant");

  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto damaged = sealed;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_EQ(aead.open(nonce, damaged, "tenant").error().code, ErrorCode::DataLoss) << i;
  }
  EXPECT_FALSE(aead.open(nonce, sealed, "other tenant"));
  EXPECT_FALSE(aead.open(std::string(12, 'm'), sealed, "tenant"));
  EXPECT_FALSE(aead.open("short", sealed, "tenant"));
  EXPECT_FALSE(aead.open(nonce, sealed.substr(0, 15), "tenant"));
  EXPECT_FALSE(aead_of(std::string(32, 'q')).open(nonce, sealed, "tenant"));
  EXPECT_EQ(aead.open(nonce, sealed, "tenant").value(), "plain text");
}

TEST(Aead, RefusesAKeyOfAnotherLength) {
  EXPECT_EQ(Aead::from_key(KeyHandle::copy_of("short")).error().code, ErrorCode::InvalidArgument);
}

TEST(KeyHandle, TakesASecretAndWipesItsSource) {
  std::string source = "a secret long enough to live on the heap";
  const char* where = source.data();
  const auto size = source.size();

  auto key = KeyHandle::take(std::move(source));

  EXPECT_EQ(key.reveal(), "a secret long enough to live on the heap");
  EXPECT_EQ(std::string(where, size), std::string(size, '\0'));
}

TEST(KeyHandle, MovesLeaveNothingBehind) {
  auto key = KeyHandle::copy_of("secret");

  auto moved = std::move(key);

  EXPECT_EQ(moved.reveal(), "secret");
  EXPECT_TRUE(key.is_empty());
  EXPECT_EQ(key.reveal(), "");
}

TEST(Wipe, OverwritesTheWholeBuffer) {
  std::string buffer = "secret";

  wipe(buffer.data(), buffer.size());

  EXPECT_EQ(buffer, std::string(6, '\0'));
}

}  // namespace
}  // namespace weft::crypto
