#include "delivery/core/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"

namespace weft::delivery {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr std::string_view kId = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr std::int64_t kTime = 1614265330;
constexpr std::string_view kBody = R"({"test": 2432232314})";

std::vector<SigningKey> keys(std::initializer_list<std::string_view> secrets) {
  std::vector<SigningKey> out;
  for (auto secret : secrets) out.push_back(*SigningKey::parse(secret));
  return out;
}

TEST(Signature, AgreesWithThePublishedVectorOfStandardWebhooks) {
  EXPECT_EQ(sign(keys({kSecret}), kId, kTime, kBody),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(Signature, CoversIdTimeAndEveryByteOfTheBody) {
  auto genuine = sign(keys({kSecret}), kId, kTime, kBody);

  EXPECT_NE(sign(keys({kSecret}), "msg_2", kTime, kBody), genuine);
  EXPECT_NE(sign(keys({kSecret}), kId, kTime + 1, kBody), genuine);
  EXPECT_NE(sign(keys({kSecret}), kId, kTime, R"({"test": 2432232315})"), genuine);
}

TEST(Signature, OldAndNewSecretBothSignDuringARotation) {
  SeededRandom random(5);
  auto fresh = new_secret(random);

  auto both = sign(keys({fresh, kSecret}), kId, kTime, kBody);

  EXPECT_EQ(both, sign(keys({fresh}), kId, kTime, kBody) + " " +
                      sign(keys({kSecret}), kId, kTime, kBody));
}

TEST(Signature, NewSecretsAreWellFormedAndDiffer) {
  SeededRandom random(6);

  auto first = new_secret(random);
  auto second = new_secret(random);

  EXPECT_THAT(first, StartsWith("whsec_"));
  EXPECT_TRUE(SigningKey::parse(first).has_value());
  EXPECT_NE(first, second);
}

TEST(Signature, SaysWhatIsWrongWithASecretWithoutRepeatingIt) {
  auto of_bytes = [](std::size_t count) { return "whsec_" + to_base64(std::string(count, 'k')); };

  EXPECT_TRUE(SigningKey::parse(of_bytes(24)).has_value());
  EXPECT_TRUE(SigningKey::parse(of_bytes(64)).has_value());
  for (const auto& bad : {std::string("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), std::string("whsec_!!!"),
                          of_bytes(23), of_bytes(65)}) {
    auto key = SigningKey::parse(bad);
    ASSERT_FALSE(key.has_value()) << bad;
    EXPECT_THAT(key.error().message, Not(HasSubstr(bad)));
  }
}

}  // namespace
}  // namespace weft::delivery
