#include "crypto/digest.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "crypto/constant_time.h"
#include "crypto/test_vectors.h"

namespace weft::crypto {
namespace {

std::string hex(std::string_view bytes) {
  return to_hex(bytes);
}

TEST(Sha256, AgreesWithFips180) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, GivesTheSameDigestHoweverTheInputIsCut) {
  const std::string text(300, 'x');

  for (std::size_t cut = 0; cut <= text.size(); cut += 7) {
    Sha256 state;
    state.update(text.substr(0, cut)).update(text.substr(cut));
    EXPECT_EQ(state.digest(), sha256(text));
  }
}

TEST(Sha256, GoesOnAfterADigest) {
  Sha256 state;
  state.update("a");
  EXPECT_EQ(state.digest(), sha256("a"));

  state.update("bc");

  EXPECT_EQ(state.digest(), sha256("abc"));
}

struct HmacCase {
  std::string key;
  std::string message;
  std::string_view mac;
};

TEST(HmacSha256, AgreesWithRfc4231) {
  const HmacCase cases[] = {
      {std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {unhex("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {std::string(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than block-size data. The "
       "key needs to be hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };

  for (const auto& [key, message, mac] : cases) {
    EXPECT_EQ(hex(hmac_sha256(key, message)), mac);
    EXPECT_TRUE(HmacKey(key).verify(message, unhex(mac)));
  }
  // Test case 5: the first 128 bits only.
  EXPECT_EQ(hex(hmac_sha256(std::string(20, '\x0c'), "Test With Truncation")).substr(0, 32),
            "a3b6167473100ee06e0c796c2955552b");
}

TEST(HmacKey, IsReusableAndTakesAMessageInParts) {
  const HmacKey key("secret");
  const auto whole = key.sign("msg_1.1700000000.{\"a\":1}");

  EXPECT_EQ(key.sign({"msg_1", ".", "1700000000", ".", "{\"a\":1}"}), whole);
  EXPECT_EQ(key.sign("msg_1.1700000000.{\"a\":1}"), whole);
  EXPECT_EQ(whole, hmac_sha256("secret", "msg_1.1700000000.{\"a\":1}"));
}

TEST(HmacKey, RefusesAnotherMessageKeyOrLength) {
  const HmacKey key("secret");
  const auto mac = key.sign("message").text();
  auto flipped = mac;
  flipped[31] = static_cast<char>(flipped[31] ^ 1);

  EXPECT_TRUE(key.verify("message", mac));
  EXPECT_FALSE(key.verify("massage", mac));
  EXPECT_FALSE(HmacKey("other").verify("message", mac));
  EXPECT_FALSE(key.verify("message", flipped));
  EXPECT_FALSE(key.verify("message", mac.substr(0, 31)));
  EXPECT_FALSE(key.verify("message", ""));
}

TEST(ConstantTimeEquals, IsEquality) {
  EXPECT_TRUE(constant_time_equals("", ""));
  EXPECT_TRUE(constant_time_equals("abc", "abc"));
  EXPECT_FALSE(constant_time_equals("abc", "abd"));
  EXPECT_FALSE(constant_time_equals("abc", "ab"));
  EXPECT_FALSE(constant_time_equals("", "a"));
}

}  // namespace
}  // namespace weft::crypto
