// Standard Webhooks 1.0.0 signatures: webhook-signature is "v1," + Base64 of HMAC-SHA256 over
// "<webhook-id>.<webhook-timestamp>.<body>", one for each current secret, separated by spaces.
// While a secret is being replaced both sign, so the receiver can change over at any moment. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/digest.h"
#include "runtime/random.h"

namespace weft::delivery {

// A signing secret, ready for use. Never printed.
class SigningKey {
 public:
  // "whsec_" and Base64 of 24 to 64 bytes.
  static Result<SigningKey> parse(std::string_view secret);
  const crypto::HmacKey& hmac() const { return hmac_; }

 private:
  explicit SigningKey(crypto::HmacKey hmac) : hmac_(hmac) {}
  crypto::HmacKey hmac_;
};

// A fresh secret of 32 bytes in its text form.
std::string new_secret(Random& random);

// The value of webhook-signature. Requires: at least one key, an id without a full stop.
std::string sign(std::span<const SigningKey> keys, std::string_view id, std::int64_t timestamp,
                 std::string_view body);

}  // namespace weft::delivery
