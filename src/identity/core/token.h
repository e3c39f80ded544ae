// Signed tokens (JWT, RFC 7519) of other issuers: taken apart, and judged by an issuer's rules and
// keys. Pure; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/jose.h"

namespace weft::identity {

inline constexpr std::size_t kTokenBytesMax = 16 * 1024;

// What a TokenIssuer document says.
struct TokenRules {
  std::string tenant;
  std::string issuer;  // "iss", to the letter
  std::string audience;
  std::vector<crypto::JwsAlgorithm> algorithms;
  std::string client_claim = "sub";
  Duration clock_skew{};
};

// A token in its parts; nothing of it is to be believed before its signature was verified.
class Token {
 public:
  // Unauthenticated: no JWS in compact form with JSON in it, or too large.
  static Result<Token> parse(std::string_view text);

  std::string_view algorithm() const;
  std::string_view key_id() const;  // empty when it names none
  std::string_view issuer() const;

  // Whether one of the keys has signed it, with an algorithm that the rules and the key allow.
  // False for a header with "crit" (RFC 7515 section 4.1.11).
  bool is_signed_by(const std::vector<crypto::JsonWebKey>& keys, const TokenRules& rules) const;
  // Whether a key could be among them: one of its id, or any of its kind when it names none.
  bool has_key_in(const std::vector<crypto::JsonWebKey>& keys) const;

 private:
  friend struct TokenClaims;
  std::shared_ptr<const JsonDocument> header_;
  std::shared_ptr<const JsonDocument> claims_;
  std::string signed_text_;
  std::string signature_;
};

struct TokenClaims {
  std::string client;
  WallTime expires_at{};

  // Of a token whose signature is good. Unauthenticated, saying which claim is wrong.
  static Result<TokenClaims> read(const Token& token, const TokenRules& rules, WallTime now);
};

}  // namespace weft::identity
