// Public keys as JSON (JWK, RFC 7517) and the signatures of signed tokens (JWS, RFC 7515) with the
// algorithms of RFC 7518 and RFC 8037, by OpenSSL. Only what a public key can check: "none" and the
// HS* family, whose key would be a shared secret, do not exist here. Keys are immutable; any
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace weft::crypto {

enum class JwsAlgorithm : std::uint8_t { Rs256, Ps256, Es256, Es384, EdDsa };
std::string_view name(JwsAlgorithm algorithm);  // "RS256" …
std::optional<JwsAlgorithm> jws_algorithm(std::string_view name);

class JsonWebKey {
 public:
  // InvalidArgument: not RSA of 2048 to 8192 bits, P-256, P-384 or Ed25519, or not a key at all;
  // for a key that is there for something else than signatures ("use", "key_ops") as well.
  static Result<JsonWebKey> parse(const Json& key);

  const std::string& id() const;  // "kid"; empty when it has none
  // Whether signatures of this algorithm can be this key's.
  bool is_for(JwsAlgorithm algorithm) const;
  // False for every signature when the key is not for the algorithm.
  bool verify(JwsAlgorithm algorithm, std::string_view message, std::string_view signature) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

// The usable keys of a set ({"keys": […]}); others are passed over, as RFC 7517 section 5 asks.
// InvalidArgument when it is no set.
Result<std::vector<JsonWebKey>> json_web_keys(std::string_view text);

}  // namespace weft::crypto
