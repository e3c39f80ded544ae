#include "identity/token_issuers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "crypto/ed25519.h"
#include "identity/identity_test_bench.h"

namespace weft::identity {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kNow = 1'700'000'000;
constexpr std::string_view kHeader = R"({"alg":"EdDSA","kid":"one"})";
constexpr std::string_view kGood =
    R"({"iss":"https://id.test","aud":["other","weft"],"sub":"shop","exp":1700000600})";

// Wall time stands still; what counts the time between fetches is set.
class TickClock final : public Clock {
 public:
  MonoTime tick{};
  std::int64_t seconds = kNow;
  WallTime now() const override { return WallTime(std::chrono::seconds(seconds)); }
  MonoTime mono() const override { return tick; }
  Task<Result<>> sleep_until(MonoTime) override { co_return Result<>(); }
};

std::string issuer_document(std::string_view more = "") {
  return fmt::format(
      "---\napiVersion: weft/v1\nkind: TokenIssuer\nmetadata: {{name: id}}\n"
      "spec: {{issuer: \"https://id.test\", keysUrl: \"https://id.test/keys\", audience: weft{}}}\n",
      more);
}

class TokenLogins : public IdentityTest {
 protected:
  TokenLogins() { declare(); }

  void declare(std::string_view more = "") {
    ENSURE(apply(std::string(kShop) + issuer_document(more)).has_value(), "declared");
    publish().value();
  }
  Result<bool> publish() {
    TRY(auto snapshot, issuers_.compile(*estate_->current()));
    issuers_.publish(1, std::move(snapshot));
    return true;
  }
  Task<Result<std::string>> fetch(std::string) {
    ++fetches_;
    if (is_away_) co_return fail(ErrorCode::Unavailable, "away");
    co_return fmt::format(R"({{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{}","x":"{}"}}]}})",
                          key_id_, to_base64url(key_.public_key().bytes()));
  }
  std::string token(std::string_view claims = kGood, std::string_view header = kHeader) {
    const auto text = fmt::format("{}.{}", to_base64url(header), to_base64url(claims));
    const auto signature = key_.sign(text);
    return fmt::format("{}.{}", text, to_base64url({signature.data(), signature.size()}));
  }
  Result<TokenLogin> log_in(std::string text) {
    return run_until_done(issuers_.authenticate(std::move(text)));
  }
  std::string refusal(std::string text) {
    const auto login = log_in(std::move(text));
    return login ? "accepted" : login.error().message;
  }

  crypto::Ed25519PrivateKey key_ =
      crypto::Ed25519PrivateKey::from_seed(std::string(32, 's')).value();
  std::string key_id_ = "one";
  int fetches_ = 0;
  bool is_away_ = false;
  TickClock ticks_;
  TokenIssuers issuers_{*identity_, ticks_,
                        [this](std::string url) { return fetch(std::move(url)); }};
};

TEST_F(TokenLogins, AreThoseOfTheClientThatTheTokenNames) {
  const auto login = log_in(token());

  ASSERT_TRUE(login) << login.error().message;
  EXPECT_EQ(login->principal->id, "client:shop");
  EXPECT_EQ(login->expires_at, WallTime(std::chrono::seconds(kNow + 600)));
  ASSERT_TRUE(log_in(token()));
  EXPECT_EQ(fetches_, 1) << "keys are kept";
}

TEST_F(TokenLogins, SayWhatIsWrongWithAToken) {
  const auto claims = [](std::string_view more, std::string_view sub = "shop") {
    return fmt::format(R"({{"iss":"https://id.test","sub":"{}"{}}})", sub, more);
  };
  const auto refused = [&](std::string_view more, std::string_view sub = "shop") {
    return refusal(token(claims(more, sub)));
  };
  EXPECT_THAT(refused(R"(,"aud":"crm","exp":1700000600)"), HasSubstr("audience (aud) is not weft"));
  EXPECT_THAT(refused(R"(,"exp":1700000600)"), HasSubstr("audience"));
  EXPECT_THAT(refused(R"(,"aud":"weft")"), HasSubstr("does not say when it expires"));
  EXPECT_THAT(refused(R"(,"aud":"weft","exp":1699999970)"), HasSubstr("it expired at 2023-11-14"));
  EXPECT_EQ(refused(R"(,"aud":"weft","exp":1699999971)"), "accepted") << "clocks differ";
  EXPECT_THAT(refused(R"(,"aud":"weft","exp":1700000600,"nbf":1700000031)"),
              HasSubstr("it is valid from"));
  EXPECT_THAT(refused(R"(,"aud":"weft","exp":1700000600,"nbf":"now")"),
              HasSubstr("nbf is no time"));
  EXPECT_THAT(refused(R"(,"aud":"weft","exp":1700000600)", "nobody"),
              HasSubstr("its claim sub is 'nobody', and tenant default has no such Client"));
  EXPECT_THAT(refused(R"(,"aud":"weft","exp":1700000600)", ""), HasSubstr("names no client"));
  EXPECT_THAT(refusal(token(R"({"iss":"https://evil.test"})")),
              HasSubstr("no TokenIssuer declares its issuer 'https://evil.test'"));
}

TEST_F(TokenLogins, RefuseWhatIsNotSignedByTheIssuer) {
  auto changed = token();
  changed.replace(changed.find('.') + 1, 4, "eyJ4");
  EXPECT_NE(refusal(changed), "accepted");
  EXPECT_THAT(refusal(token(kGood, R"({"alg":"none"})")), HasSubstr("is not signed by a key"));
  EXPECT_THAT(refusal(token(kGood, R"({"alg":"HS256","kid":"one"})")), HasSubstr("is not signed"));
  EXPECT_THAT(refusal(token(kGood, R"({"alg":"RS256","kid":"one"})")), HasSubstr("is not signed"));
  EXPECT_THAT(refusal(token(kGood, R"({"alg":"EdDSA","crit":["b64"],"b64":false})")),
              HasSubstr("is not signed"));
  const auto good = token();
  EXPECT_THAT(refusal(good.substr(0, good.rfind('.') + 1)), HasSubstr("is not signed"));
  key_ = crypto::Ed25519PrivateKey::from_seed(std::string(32, 'x')).value();
  EXPECT_THAT(refusal(token()), HasSubstr("is not signed"));
}

TEST_F(TokenLogins, RefuseWhatIsNoToken) {
  for (const auto* text : {"", "a", "a.b", "a.b.c.d", "!.!.!", "e30.e30.", "W10.W10.AA"}) {
    EXPECT_THAT(refusal(text), HasSubstr("the token is refused")) << text;
  }
  EXPECT_THAT(refusal(std::string(20'000, 'a')), HasSubstr("more than 16384"));
}

TEST_F(TokenLogins, FetchOnceForAKeyThatIsNotKnown) {
  ASSERT_TRUE(log_in(token()));
  key_id_ = "two";
  const auto of_new_key = token(kGood, R"({"alg":"EdDSA","kid":"two"})");
  EXPECT_NE(refusal(of_new_key), "accepted") << "too soon after the last fetch";
  EXPECT_EQ(fetches_, 1);

  ticks_.tick += kKeysRefreshMin;

  EXPECT_EQ(refusal(of_new_key), "accepted");
  EXPECT_EQ(fetches_, 2);
  ticks_.tick += kKeysRefreshMin;
  EXPECT_NE(refusal(token(kGood, R"({"alg":"EdDSA","kid":"none"})")), "accepted");
  EXPECT_NE(refusal(token(kGood, R"({"alg":"EdDSA","kid":"none"})")), "accepted");
  EXPECT_EQ(fetches_, 3);
}

TEST_F(TokenLogins, KeepTheirKeysWhileTheIssuerIsAway) {
  is_away_ = true;
  EXPECT_THAT(refusal(token()), HasSubstr("cannot be had now"));
  EXPECT_THAT(refusal(token()), HasSubstr("cannot be had now")) << "before it is asked again";
  is_away_ = false;
  ticks_.tick += kKeysRefreshMin;
  ASSERT_TRUE(log_in(token()));
  is_away_ = true;

  ticks_.tick += kKeysAgeMax;

  EXPECT_EQ(refusal(token()), "accepted");
  EXPECT_EQ(fetches_, 3);
}

TEST_F(TokenLogins, TakeTheClaimAndTheAlgorithmsOfTheDocument) {
  declare(", clientClaim: azp, algorithms: [RS256, EdDSA]");
  EXPECT_EQ(
      refusal(token(
          R"({"iss":"https://id.test","aud":"weft","sub":"ann","azp":"shop","exp":1700000600})")),
      "accepted");
  EXPECT_THAT(refusal(token()), HasSubstr("its claim azp names no client"));
  declare(", algorithms: [RS256]");
  EXPECT_THAT(refusal(token()), HasSubstr("an algorithm that its TokenIssuer allows"));
}

TEST_F(TokenLogins, EndWithTheirTokenTheirClientAndTheirIssuer) {
  const auto login = log_in(token()).value();
  EXPECT_EQ(issuers_.renew(login).value()->id, "client:shop");
  ticks_.seconds += 600;
  EXPECT_THAT(issuers_.renew(login).error().message, HasSubstr("the token expired at"));
  ticks_.seconds -= 600;

  ASSERT_TRUE(apply("", {{"default", "Client", "shop"}}));
  EXPECT_FALSE(issuers_.renew(login));
  ASSERT_TRUE(apply(std::string(kShop), {{"default", "TokenIssuer", "id"}}));
  publish().value();
  EXPECT_FALSE(issuers_.renew(login));
}

TEST_F(TokenLogins, AnIssuerIsDeclaredOnce) {
  auto twin = issuer_document();
  twin.replace(twin.find("name: id"), 8, "name: di");
  ASSERT_TRUE(apply(twin));

  const auto published = publish();

  ASSERT_FALSE(published);
  EXPECT_THAT(published.error().message, HasSubstr("the issuer https://id.test is declared twice"));
}

}  // namespace
}  // namespace weft::identity
