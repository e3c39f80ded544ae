// OpenSSL's plain SHA256_CTX, not its EVP face: the state is a value that can be copied, so a key's
// state is shared by all threads without a lock or an allocation (EVP_MAC reused on one thread: 1.6
// times the cost at 64 bytes, 1.1 times at 1 KB). OpenSSL 3 calls it deprecated; this file alone
// uses it.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/digest.h"

#include <openssl/sha.h>

#include <cstring>

#include "crypto/constant_time.h"
#include "crypto/key.h"

namespace weft::crypto {

namespace {

constexpr std::size_t kBlockBytes = SHA256_CBLOCK;
constexpr char kInnerPad = 0x36;
constexpr char kOuterPad = 0x5c;

SHA256_CTX* context_of(std::array<std::uint64_t, 14>& state) {
  static_assert(sizeof(SHA256_CTX) <= sizeof state &&
                alignof(SHA256_CTX) <= alignof(std::uint64_t));
  return reinterpret_cast<SHA256_CTX*>(state.data());
}

std::string_view padded(std::array<char, kBlockBytes>& block, std::string_view key, char pad) {
  block.fill(pad);
  for (std::size_t i = 0; i < key.size(); ++i) block[i] = static_cast<char>(key[i] ^ pad);
  return {block.data(), block.size()};
}

}  // namespace

Sha256::Sha256() : state_{} {
  SHA256_Init(context_of(state_));
}

Sha256& Sha256::update(std::string_view bytes) {
  SHA256_Update(context_of(state_), bytes.data(), bytes.size());
  return *this;
}

Digest256 Sha256::digest() const {
  auto copy = state_;
  Digest256 out;
  SHA256_Final(reinterpret_cast<unsigned char*>(out.bytes.data()), context_of(copy));
  return out;
}

Digest256 sha256(std::string_view bytes) {
  return Sha256().update(bytes).digest();
}

HmacKey::HmacKey(std::string_view secret) {
  Digest256 hashed;
  if (secret.size() > kBlockBytes) {
    hashed = sha256(secret);
    secret = hashed;
  }
  std::array<char, kBlockBytes> block;
  inner_.update(padded(block, secret, kInnerPad));
  outer_.update(padded(block, secret, kOuterPad));
  wipe(block.data(), block.size());
  wipe(hashed.bytes.data(), hashed.bytes.size());
}

HmacKey::~HmacKey() {
  wipe(reinterpret_cast<char*>(&inner_), sizeof inner_);
  wipe(reinterpret_cast<char*>(&outer_), sizeof outer_);
}

Digest256 HmacKey::sign(std::string_view message) const {
  return sign({message});
}

Digest256 HmacKey::sign(std::initializer_list<std::string_view> parts) const {
  auto inner = inner_;
  for (auto part : parts) inner.update(part);
  auto outer = outer_;
  return outer.update(inner.digest()).digest();
}

bool HmacKey::verify(std::string_view message, std::string_view mac) const {
  return constant_time_equals(sign(message), mac);
}

Digest256 hmac_sha256(std::string_view secret, std::string_view message) {
  return HmacKey(secret).sign(message);
}

}  // namespace weft::crypto
