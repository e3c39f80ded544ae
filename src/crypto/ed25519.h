// Ed25519 signatures (RFC 8032, pure Ed25519). Keys are immutable and cheap to copy; any thread.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::crypto {

using Ed25519Signature = std::array<char, 64>;

class Ed25519PublicKey {
 public:
  // 32 bytes; InvalidArgument for another length.
  static Result<Ed25519PublicKey> from_bytes(std::string_view bytes);

  bool verify(std::string_view message, std::string_view signature) const;
  std::string bytes() const;

 private:
  friend class Ed25519PrivateKey;
  explicit Ed25519PublicKey(std::shared_ptr<void> key) : key_(std::move(key)) {}
  std::shared_ptr<void> key_;
};

class Ed25519PrivateKey {
 public:
  // From 32 random bytes, the form in which the key is stored; InvalidArgument for another length.
  static Result<Ed25519PrivateKey> from_seed(std::string_view seed);

  Ed25519Signature sign(std::string_view message) const;
  Ed25519PublicKey public_key() const;

 private:
  explicit Ed25519PrivateKey(std::shared_ptr<void> key) : key_(std::move(key)) {}
  std::shared_ptr<void> key_;
};

}  // namespace weft::crypto
