#include "identity/scram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "identity/scram_test_client.h"

namespace weft::identity {
namespace {

using testing::HasSubstr;

// RFC 7677 section 3; the messages of SCRAM-SHA-512 were made from the same input with Python's
// hashlib.
constexpr std::string_view kNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view kFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kServerFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr std::string_view kLast = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=";

ScramLogin login_of_user(ScramMechanism mechanism, std::string_view user) {
  ScramLogin login;
  login.keys =
      scram_keys(mechanism, "pencil", from_base64("W22ZaJ0SNY7soEsUEjb6gQ==").value(), 4096);
  if (user == "user") {
    login.principal =
        std::make_shared<const Principal>(make_principal(PrincipalType::Client, "user", "default"));
  }
  return login;
}

ScramExchange exchange(ScramMechanism mechanism = ScramMechanism::Sha256) {
  return {mechanism, std::string(kNonce)};
}

std::string refusal(const Result<std::string>& answer) {
  return answer ? "accepted" : answer.error().message;
}

TEST(Scram, AgreesWithTheExampleOfRfc7677) {
  auto login = exchange();
  EXPECT_EQ(login.first(kFirst, login_of_user), kServerFirst);

  auto last = login.last(fmt::format("{}dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", kLast));

  EXPECT_EQ(last, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  EXPECT_EQ(login.login().principal->name, "user");
}

TEST(Scram, DoesTheSameWithSha512) {
  auto login = exchange(ScramMechanism::Sha512);
  EXPECT_EQ(login.first(kFirst, login_of_user), kServerFirst);

  auto last =
      login.last(fmt::format("{}gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnz"
                             "MlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
                             kLast));

  EXPECT_EQ(last,
            "v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7"
            "Zw==");
}

TEST(Scram, RefusesAWrongPasswordAndAnUnknownUserAlike) {
  auto wrong = exchange();
  ASSERT_TRUE(wrong.first(kFirst, login_of_user));
  const auto wrong_refusal =
      wrong.last(fmt::format("{}AAAAapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQA=", kLast));
  auto unknown = exchange();
  ASSERT_TRUE(unknown.first("n,,n=nobody,r=rOprNGfwEbeRWgbNEkqO", login_of_user));
  const auto unknown_refusal =
      unknown.last(fmt::format("{}dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", kLast));

  EXPECT_EQ(refusal(wrong_refusal), "the user is unknown or the password is wrong");
  EXPECT_EQ(refusal(unknown_refusal), refusal(wrong_refusal));
  EXPECT_EQ(wrong_refusal.error().code, ErrorCode::Unauthenticated);
}

// With the right proof for made-up keys, too.
TEST(Scram, NobodyIsNeverLoggedIn) {
  auto unknown = exchange();
  const auto as_if_known = [](ScramMechanism mechanism, std::string_view) {
    auto login = login_of_user(mechanism, "user");
    login.principal = nullptr;
    return login;
  };
  ASSERT_TRUE(unknown.first(kFirst, as_if_known));

  EXPECT_FALSE(unknown.last(fmt::format("{}dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", kLast)));
}

// As librdkafka before 2.6.1 does, which signs it that way, too.
TEST(Scram, TakesTheClientsPartOfTheNonceTwice) {
  auto login = exchange();
  ASSERT_TRUE(login.first(kFirst, login_of_user));
  const auto without_proof =
      fmt::format("c=biws,r=rOprNGfwEbeRWgbNEkqOrOprNGfwEbeRWgbNEkqO{}", kNonce);

  EXPECT_TRUE(login.last(scram_proof(ScramMechanism::Sha256, "pencil", kFirst.substr(3),
                                     kServerFirst, without_proof)));
}

TEST(Scram, TakesClientsThatWouldBindToAChannelIfItWereOffered) {
  auto login = exchange();
  ASSERT_TRUE(login.first("y,,n=user,r=abc", login_of_user));
  // "n,," does not repeat what was said first.
  EXPECT_THAT(refusal(login.last(
                  fmt::format("c=biws,r=abc{},p={}", kNonce, to_base64(std::string(32, 'x'))))),
              HasSubstr("another channel"));
  auto bound = exchange();
  EXPECT_THAT(refusal(bound.first("p=tls-unique,,n=user,r=abc", login_of_user)),
              HasSubstr("channel binding is not offered"));
}

TEST(Scram, TakesAnAuthorizationIdOfTheUserAlone) {
  auto same = exchange();
  EXPECT_TRUE(same.first("n,a=user,n=user,r=abc", login_of_user));
  auto other = exchange();
  EXPECT_THAT(refusal(other.first("n,a=admin,n=user,r=abc", login_of_user)),
              HasSubstr("nobody may act as somebody else"));
}

TEST(Scram, ReadsEscapedNames) {
  auto login = exchange();
  ASSERT_TRUE(login.first("n,,n=a=2Cb=3Dc,r=abc", login_of_user));
  EXPECT_EQ(login.user(), "a,b=c");
  auto wrong = exchange();
  EXPECT_FALSE(wrong.first("n,,n=a=2c,r=abc", login_of_user));
}

TEST(Scram, RefusesWhatIsMalformed) {
  for (const auto* first :
       {"", "n", "n,", "n,,", "x,,n=user,r=abc", "n,,r=abc", "n,,n=,r=abc", "n,,n=user",
        "n,,n=user,r=", "n,,m=x,n=user,r=abc", "n,b=x,n=user,r=abc", "n,,n=user,r=a\tb",
        "n,,n=user,r=abc,tokenauth=true"}) {
    auto login = exchange();
    EXPECT_FALSE(login.first(first, login_of_user)) << first;
  }
  const auto proof = to_base64(std::string(32, 'x'));
  for (const auto& last :
       {std::string(), std::string("c=biws"), fmt::format("c=biws,r=abc{}", kNonce),
        fmt::format("c=biws,r=abc,p={}", proof), fmt::format("r=abc{},p={}", kNonce, proof),
        fmt::format("c=biws,r=abc{},p=!", kNonce), fmt::format("c=biws,r=abc{},p=AAAA", kNonce)}) {
    auto login = exchange();
    ASSERT_TRUE(login.first("n,,n=user,r=abc", login_of_user));
    const auto answer = login.last(last);
    ASSERT_FALSE(answer) << last;
    EXPECT_EQ(answer.error().code, ErrorCode::InvalidArgument) << last;
  }
}

TEST(ScramPassword, IsPrintableAscii) {
  EXPECT_TRUE(check_scram_password("correct horse ~!"));
  EXPECT_FALSE(check_scram_password(""));
  EXPECT_FALSE(check_scram_password("tab\t"));
  EXPECT_THAT(check_scram_password("pass\xc3\xa9").error().message, HasSubstr("RFC 4013"));
}

TEST(ScramKeys, TakeOnlyWhatCouldHaveBeenMadeFromAPassword) {
  const std::string salted(32, 'k');
  EXPECT_TRUE(scram_keys_of_salted(ScramMechanism::Sha256, salted, "salt", 4096));
  EXPECT_FALSE(scram_keys_of_salted(ScramMechanism::Sha512, salted, "salt", 4096));
  EXPECT_FALSE(scram_keys_of_salted(ScramMechanism::Sha256, salted, "", 4096));
  EXPECT_FALSE(scram_keys_of_salted(ScramMechanism::Sha256, salted, "salt", 4095));
  EXPECT_FALSE(scram_keys_of_salted(ScramMechanism::Sha256, salted, "salt", 1'000'001));
  EXPECT_TRUE(scram_keys_of_salted(ScramMechanism::Sha256, salted, "salt", 1'000'000));
}

}  // namespace
}  // namespace weft::identity
