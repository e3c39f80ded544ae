// SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104). No allocation, nothing that can fail.
//
// A HmacKey has hashed its key blocks once; a signature then costs only the message. It is
// immutable, so that all loops may share one.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace weft::crypto {

// 32 bytes. As a view it lives no longer than the object: to_hex(sha256(x)) is fine, keeping the
// view of a temporary is not.
struct Digest256 {
  std::array<char, 32> bytes{};

  operator std::string_view() const { return {bytes.data(), bytes.size()}; }
  std::string text() const { return std::string(std::string_view(*this)); }
  // For public values; secrets are compared with constant_time_equals.
  auto operator<=>(const Digest256&) const = default;
};

// The running state of SHA-256. One thread at a time.
class Sha256 {
 public:
  Sha256();
  Sha256& update(std::string_view bytes);
  // Of everything so far; the state may go on.
  Digest256 digest() const;

 private:
  friend class HmacKey;
  std::array<std::uint64_t, 14> state_;
};

Digest256 sha256(std::string_view bytes);

class HmacKey {
 public:
  explicit HmacKey(std::string_view secret);
  ~HmacKey();
  HmacKey(const HmacKey&) = default;
  HmacKey& operator=(const HmacKey&) = default;

  Digest256 sign(std::string_view message) const;
  // Of the parts one after another, without joining them.
  Digest256 sign(std::initializer_list<std::string_view> parts) const;
  // In constant time.
  bool verify(std::string_view message, std::string_view mac) const;

 private:
  Sha256 inner_;
  Sha256 outer_;
};

// For a key that is used once.
Digest256 hmac_sha256(std::string_view secret, std::string_view message);

}  // namespace weft::crypto
