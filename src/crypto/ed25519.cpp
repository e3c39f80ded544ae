#include "crypto/ed25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto/raw_bytes.h"

namespace weft::crypto {

namespace {

constexpr std::size_t kKeyBytes = 32;

struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeDigest>;

EVP_PKEY* pkey(const std::shared_ptr<void>& key) {
  return static_cast<EVP_PKEY*>(key.get());
}

std::shared_ptr<void> owned(EVP_PKEY* key) {
  ENSURE(key != nullptr, "OpenSSL takes every 32 bytes as an Ed25519 key");
  return {key, [](void* handle) { EVP_PKEY_free(static_cast<EVP_PKEY*>(handle)); }};
}

Result<> require_size(std::string_view bytes, std::string_view what) {
  if (bytes.size() == kKeyBytes) return {};
  return fail(ErrorCode::InvalidArgument, "an Ed25519 {} has {} bytes, not {}", what, kKeyBytes,
              bytes.size());
}

std::string public_bytes(EVP_PKEY* key) {
  std::string bytes(kKeyBytes, '\0');
  auto size = bytes.size();
  auto* into = raw(bytes);
  ENSURE(EVP_PKEY_get_raw_public_key(key, into, &size) == 1, "an Ed25519 key has a public half");
  return bytes;
}

std::shared_ptr<void> public_half(std::string_view bytes) {
  return owned(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw(bytes), bytes.size()));
}

}  // namespace

Result<Ed25519PublicKey> Ed25519PublicKey::from_bytes(std::string_view bytes) {
  CHECK(require_size(bytes, "public key"));
  return Ed25519PublicKey(public_half(bytes));
}

bool Ed25519PublicKey::verify(std::string_view message, std::string_view signature) const {
  if (signature.size() != sizeof(Ed25519Signature)) return false;
  DigestContext context(EVP_MD_CTX_new());
  ENSURE(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey(key_)) == 1,
         "an Ed25519 key verifies");
  const bool is_valid = EVP_DigestVerify(context.get(), raw(signature), signature.size(),
                                         raw(message), message.size()) == 1;
  // A point that is not on the curve leaves entries behind that would confuse later calls' errors.
  if (!is_valid) ERR_clear_error();
  return is_valid;
}

std::string Ed25519PublicKey::bytes() const {
  return public_bytes(pkey(key_));
}

Result<Ed25519PrivateKey> Ed25519PrivateKey::from_seed(std::string_view seed) {
  CHECK(require_size(seed, "seed"));
  return Ed25519PrivateKey(
      owned(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw(seed), seed.size())));
}

Ed25519Signature Ed25519PrivateKey::sign(std::string_view message) const {
  DigestContext context(EVP_MD_CTX_new());
  Ed25519Signature signature;
  auto size = signature.size();
  auto* into = reinterpret_cast<unsigned char*>(signature.data());
  ENSURE(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, pkey(key_)) == 1 &&
             EVP_DigestSign(context.get(), into, &size, raw(message), message.size()) == 1,
         "an Ed25519 key signs");
  return signature;
}

Ed25519PublicKey Ed25519PrivateKey::public_key() const {
  return Ed25519PublicKey(public_half(public_bytes(pkey(key_))));
}

}  // namespace weft::crypto
