// Authenticated encryption with AES-256-GCM (NIST SP 800-38D). A key is immutable and may be shared
// by threads.
//
// The nonce has 12 bytes and must never repeat under one key: take it at random (then at most 2^32
// messages per key) or from a counter that survives a restart.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/key.h"

namespace weft::crypto {

inline constexpr std::size_t kAeadKeyBytes = 32;
inline constexpr std::size_t kAeadNonceBytes = 12;
inline constexpr std::size_t kAeadTagBytes = 16;

class Aead {
 public:
  // InvalidArgument when the key does not have 32 bytes.
  static Result<Aead> from_key(KeyHandle key);

  // Ciphertext and then the tag. `bound` is not encrypted, but open() must be given the same.
  // Requires: a nonce of 12 bytes.
  std::string seal(std::string_view nonce, std::string_view plain, std::string_view bound) const;

  // DataLoss when key, nonce, `bound` or any byte differs from what was sealed.
  Result<std::string> open(std::string_view nonce, std::string_view sealed,
                           std::string_view bound) const;

 private:
  explicit Aead(KeyHandle key) : key_(std::move(key)) {}
  KeyHandle key_;
};

}  // namespace weft::crypto
