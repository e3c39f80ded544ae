#include "crypto/jose.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace weft::crypto {
namespace {

// Of RSA and P-384: made with Python's cryptography package.
constexpr std::string_view kMessage = "signed text";
constexpr std::string_view kModulus =
    "0mwu5bkV4DbAF4HyTZS3EV8zi8_aVIdD9MplFYmhFP8ZOeqnr8xhwisTPMmtIBJxIGlYn3T2G3FN_YXg"
    "dxldWoakHru5IcpFlUWypmtI-wzsUERSori95R0KH075ANvLzJNeHgWI2c3N2xYwdu7lFJg6Brl5sKeh"
    "MMDi4iwCaRoL34htiH_4W76jlTytXFQVyf5mY55N1Ig4vyym8iIp7OZ_TKhvVXd4q1tcG0kXX5CXfbn8"
    "aUzjM1YU5K-crABJoSsfIQXafO4I7m_XOAQiGQKCqmb3SCKpFQXENNAkJ91QqdaSmWJ3Irnx2P3yu7vm"
    "eKf20UmaHQjUyaerzRaS2w";
constexpr std::string_view kRs256 =
    "XWtMUxT5PK_j_BY3_QLgIRh4WLJhELiWiO1OgpAD060bzLku5tQ29T2KG72JZTWhwhx7sSnwYxQiqKhk"
    "G3_XV2SCZiWwpICET7qrZ6Q1yvO-ChJWoPx_qoY3ICTDdWkw1n1yH3O4JNGRGvpDVtZoK7YjVl6OkfCx"
    "hiSRfI1qd4NC6re8hvTy-ROwhG1NuZw5Eiq1xTLvqyVIPMEwlG6b2X33zShD1D88jKlCOlsZA3-_h_pN"
    "o392ijYAaICx7nIqFPNH7juWwYmW4EbqWl24Dj6OXJXEZqSG0zPCLAjDfIU-oPB0vB5eIox1_5ljKPul"
    "82yYFZyDCnIwfu8TKjZxWA";
constexpr std::string_view kPs256 =
    "cI4oC7v9wXKFF1dxtdVygPNH5OXyvYWW6s42awho0_XDg5j0W86kfAmv0tHoh4jR7Ca2jHO78lOe1stw"
    "P_a2RLUGKu5FfAJAoZ4JbBFdMWnciKFnDTRaKdaWRrR5YHMWInlIsITi3GzsnfJXOKvOyt1kCAuEXbrt"
    "U7jMyueQgafgwOxdHqUxLkhfT4V7eUHYu4wBPpmnnz3B4o6jKT-HQwy3RtQwXs35L57K52Yp9OJgTL-2"
    "QNsMm8jy0_nC-PZTTwv72VwkvYQiG3_UNLFAqjIHYklVRJfUEAd3g17VeE6pRAPTqmNUwq0aKNEUpMQ9"
    "dgOffXadS2yjLh7bBpOboA";
constexpr std::string_view kPs256WithAShortSalt =
    "b0Hu96bp_rAhv_fCbdtxvC325pyjrm_rhdK506DpfeC6xnnaKrigV1Azh7cn70alreEYM9D6LrlARC7t"
    "guQjjEknE_k0O01tAQ8jc8UbM34WFSydUAUK4T2A1IRoKcClt4sRpd-8v6pUCP-hXsprkU1XQtm8hBx0"
    "zXKHMZU-YnRMTNiLDoEeyqE2201XlJa4ZDlq31UJMETp1y3s3JMze6SdjKjcl3JSpvbHohfVH_UuU8wQ"
    "eWG8Hy_bYyNB9-DnMW7V_NV3XeYDRv6jj26686UsXlu7qAPy82haV-vjd166Y7f596oQqJAaeSIR5boB"
    "O0pDMqYa7FKcjtXqMbDQdA";
constexpr std::string_view kShortModulus =
    "yLTvatR0RKoNrPPGiggEUKNcEtnQenYF3ywDoSWGI6BRjAeSUoJGUq-w9ez0LXP3JAR6ZEo_mfX6tXQc"
    "yyz_7f8Fe0rW0sNua-ul2vkr-dumnNa8XsLhwioful2L58TsZwfvOc6CtvpqqnjyB53wSW3Utw4J0fJw"
    "q4Mj8gsHVqU";
constexpr std::string_view kP384X =
    "y-eYy-AWvaOW0iPcRZGbxTQQpQVmxFB4PwdjdCijCTlmTkuoHMnDD3RbFkRuA1jC";
constexpr std::string_view kP384Y =
    "RtNT6GCEc93ySC4nQ0p3H9VUa_mXjsazbAm_4DD0ZTxwCuBAKGFj8pev6AJ9vD4B";
constexpr std::string_view kEs384 =
    "6lo40xKiYXBezo5MpNbrKLi_-blAiUbi1PAYRSMFFwZnxfItFKaxu78wJiPM6FnvXOglm2yqBIqchJMb"
    "V3JKBZNdHFucPnDfHG4ZvAA775y0F7q96UuPm8zp_mCZblCw";

Result<JsonWebKey> parse(const std::string& text) {
  const auto document = JsonDocument::parse(text);
  return JsonWebKey::parse(document->root());
}

std::string rsa(std::string_view more = "", std::string_view modulus = kModulus) {
  return fmt::format(R"({{"kty":"RSA","e":"AQAB","n":"{}"{}}})", modulus, more);
}

bool verifies(const std::string& key, JwsAlgorithm algorithm, std::string_view message,
              std::string_view signature) {
  return parse(key)->verify(algorithm, message, from_base64url(signature).value());
}

TEST(Jose, AgreesWithRfc7515ForEs256) {
  const std::string key =
      R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
      R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
  constexpr std::string_view kText =
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
      "bS9pc19yb290Ijp0cnVlfQ";
  constexpr std::string_view kSignature =
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

  EXPECT_TRUE(verifies(key, JwsAlgorithm::Es256, kText, kSignature));
  EXPECT_FALSE(verifies(key, JwsAlgorithm::Es256, "other text", kSignature));
  EXPECT_FALSE(verifies(key, JwsAlgorithm::Es384, kText, kSignature));
  EXPECT_FALSE(verifies(key, JwsAlgorithm::Es256, kText, kSignature.substr(0, 80)));
}

TEST(Jose, AgreesWithRfc8037ForEdDsa) {
  const std::string key =
      R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
  constexpr std::string_view kText = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
  constexpr std::string_view kSignature =
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

  EXPECT_TRUE(verifies(key, JwsAlgorithm::EdDsa, kText, kSignature));
  EXPECT_FALSE(verifies(key, JwsAlgorithm::EdDsa, "other text", kSignature));
}

TEST(Jose, VerifiesRsaWithBothPaddings) {
  EXPECT_TRUE(verifies(rsa(), JwsAlgorithm::Rs256, kMessage, kRs256));
  EXPECT_TRUE(verifies(rsa(), JwsAlgorithm::Ps256, kMessage, kPs256));
  EXPECT_FALSE(verifies(rsa(), JwsAlgorithm::Ps256, kMessage, kRs256));
  EXPECT_FALSE(verifies(rsa(), JwsAlgorithm::Rs256, kMessage, kPs256));
  EXPECT_FALSE(verifies(rsa(), JwsAlgorithm::Rs256, "other text", kRs256));
  EXPECT_FALSE(verifies(rsa(), JwsAlgorithm::Ps256, kMessage, kPs256WithAShortSalt));
}

TEST(Jose, VerifiesEs384) {
  const auto key = fmt::format(R"({{"kty":"EC","crv":"P-384","x":"{}","y":"{}"}})", kP384X, kP384Y);

  EXPECT_TRUE(verifies(key, JwsAlgorithm::Es384, kMessage, kEs384));
  EXPECT_FALSE(verifies(key, JwsAlgorithm::Es384, "other text", kEs384));
}

TEST(Jose, AKeyThatNamesItsAlgorithmIsForNoOther) {
  const auto key = parse(rsa(R"(,"alg":"RS256","kid":"one")")).value();

  EXPECT_EQ(key.id(), "one");
  EXPECT_TRUE(key.is_for(JwsAlgorithm::Rs256));
  EXPECT_FALSE(key.is_for(JwsAlgorithm::Ps256));
  EXPECT_FALSE(key.is_for(JwsAlgorithm::Es256));
  EXPECT_FALSE(key.verify(JwsAlgorithm::Ps256, kMessage, from_base64url(kPs256).value()));
}

TEST(Jose, KnowsNoUnsignedAndNoSharedKeyAlgorithm) {
  for (const auto* algorithm : {"none", "HS256", "HS512", "rs256", ""}) {
    EXPECT_FALSE(jws_algorithm(algorithm)) << algorithm;
  }
  EXPECT_EQ(name(*jws_algorithm("EdDSA")), "EdDSA");
}

TEST(Jose, RefusesWhatIsNoKeyForSignatures) {
  for (const auto& key :
       {std::string("[]"), std::string("{}"), std::string(R"({"kty":"oct","k":"c2VjcmV0"})"),
        rsa(R"(,"use":"enc")"), rsa(R"(,"key_ops":["encrypt"])"), rsa("", kShortModulus),
        rsa("", "!"), std::string(R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})"),
        fmt::format(R"({{"kty":"EC","crv":"P-384","x":"{}","y":"{}"}})", kP384X, kP384X),
        std::string(R"({"kty":"EC","crv":"P-521","x":"AA","y":"AA"})"),
        std::string(R"({"kty":"OKP","crv":"Ed25519","x":"AA"})")}) {
    const auto parsed = parse(key);
    ASSERT_FALSE(parsed) << key;
    EXPECT_EQ(parsed.error().code, ErrorCode::InvalidArgument);
  }
}

TEST(Jose, PassesOverTheKeysOfASetThatItCannotUse) {
  const auto keys = json_web_keys(
      fmt::format(R"({{"keys":[{{"kty":"oct","k":"AA"}},{},7]}})", rsa(R"(,"kid":"good")")));

  ASSERT_TRUE(keys) << keys.error().message;
  ASSERT_EQ(keys->size(), 1u);
  EXPECT_EQ(keys->at(0).id(), "good");
  EXPECT_FALSE(json_web_keys("[]"));
  EXPECT_FALSE(json_web_keys("not JSON"));
}

}  // namespace
}  // namespace weft::crypto
