#include "identity/core/token.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/json_members.h"

namespace weft::identity {
namespace {

template <class... Arguments>
Failure no_token(fmt::format_string<Arguments...> why, Arguments&&... arguments) {
  return fail(ErrorCode::Unauthenticated, "the token is refused: {}",
              fmt::format(why, std::forward<Arguments>(arguments)...));
}

Result<std::shared_ptr<const JsonDocument>> read_part(std::string_view part) {
  auto text = from_base64url(part);
  if (!text) return no_token("a part of it is not base64url");
  auto document = JsonDocument::parse(*std::move(text));
  if (!document || !document->root().is_object()) return no_token("a part of it is no JSON object");
  return std::make_shared<const JsonDocument>(*std::move(document));
}

bool names_audience(const Json& claims, std::string_view wanted) {
  const auto is_wanted = [&](const Json& one) {
    return one.is_string() && one.as_string() == wanted;
  };
  const auto* audience = claims.find("aud");
  if (audience == nullptr) return false;
  return is_wanted(*audience) ||
         (audience->is_array() && std::ranges::any_of(audience->elements(), is_wanted));
}

// A NumericDate in whole seconds; far beyond any real one it would not fit into a WallTime.
std::optional<WallTime> time_claim(const Json& claims, std::string_view name) {
  constexpr std::int64_t kMost = 9'000'000'000;
  const auto seconds = member_integer(claims, name);
  if (!seconds || *seconds < 0) return std::nullopt;
  return WallTime(std::chrono::seconds(std::min(*seconds, kMost)));
}

}  // namespace

Result<Token> Token::parse(std::string_view text) {
  if (text.size() > kTokenBytesMax) {
    return no_token("it has {} bytes, more than {}", text.size(), kTokenBytesMax);
  }
  const auto first = text.find('.');
  const auto second = first == text.npos ? text.npos : text.find('.', first + 1);
  if (second == text.npos || text.find('.', second + 1) != text.npos) {
    return no_token("it is no signed token of three parts");
  }
  Token token;
  TRY(token.header_, read_part(text.substr(0, first)));
  TRY(token.claims_, read_part(text.substr(first + 1, second - first - 1)));
  auto signature = from_base64url(text.substr(second + 1));
  if (!signature) return no_token("a part of it is not base64url");
  token.signed_text_ = text.substr(0, second);
  token.signature_ = *std::move(signature);
  return token;
}

std::string_view Token::algorithm() const {
  return member_text(header_->root(), "alg").value_or("");
}

std::string_view Token::key_id() const {
  return member_text(header_->root(), "kid").value_or("");
}

std::string_view Token::issuer() const {
  return member_text(claims_->root(), "iss").value_or("");
}

bool Token::has_key_in(const std::vector<crypto::JsonWebKey>& keys) const {
  const auto by = crypto::jws_algorithm(algorithm());
  return by && std::ranges::any_of(keys, [&](const crypto::JsonWebKey& key) {
           return key.is_for(*by) && (key_id().empty() || key.id() == key_id());
         });
}

bool Token::is_signed_by(const std::vector<crypto::JsonWebKey>& keys,
                         const TokenRules& rules) const {
  const auto by = crypto::jws_algorithm(algorithm());
  if (!by || std::ranges::find(rules.algorithms, *by) == rules.algorithms.end()) return false;
  if (header_->root().find("crit") != nullptr) return false;
  return std::ranges::any_of(keys, [&](const crypto::JsonWebKey& key) {
    return (key_id().empty() || key.id() == key_id()) && key.verify(*by, signed_text_, signature_);
  });
}

Result<TokenClaims> TokenClaims::read(const Token& token, const TokenRules& rules, WallTime now) {
  const auto& claims = token.claims_->root();
  if (token.issuer() != rules.issuer) return no_token("it is of another issuer");
  if (!names_audience(claims, rules.audience)) {
    return no_token("its audience (aud) is not {}", rules.audience);
  }
  const auto expires_at = time_claim(claims, "exp");
  if (!expires_at) return no_token("it does not say when it expires (exp)");
  if (now >= *expires_at + rules.clock_skew) {
    return no_token("it expired at {}", to_rfc3339(*expires_at));
  }
  const auto not_before = time_claim(claims, "nbf");
  if (claims.find("nbf") != nullptr && !not_before) return no_token("nbf is no time");
  if (not_before && now + rules.clock_skew < *not_before) {
    return no_token("it is valid from {} on", to_rfc3339(*not_before));
  }
  TokenClaims read;
  read.client = text_of(claims, rules.client_claim);
  if (read.client.empty()) return no_token("its claim {} names no client", rules.client_claim);
  read.expires_at = *expires_at;
  return read;
}

}  // namespace weft::identity
