#include "crypto/keyed_hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/result.h"
#include "crypto/raw_bytes.h"

namespace weft::crypto {
namespace {

const EVP_MD* digest_of(HashAlgorithm algorithm) {
  return algorithm == HashAlgorithm::Sha256 ? EVP_sha256() : EVP_sha512();
}

}  // namespace

std::size_t hash_bytes(HashAlgorithm algorithm) {
  return algorithm == HashAlgorithm::Sha256 ? 32 : 64;
}

std::string hash(HashAlgorithm algorithm, std::string_view bytes) {
  std::string digest(hash_bytes(algorithm), '\0');
  const int made =
      EVP_Digest(bytes.data(), bytes.size(), raw(digest), nullptr, digest_of(algorithm), nullptr);
  ENSURE(made == 1, "a hash can be computed");
  return digest;
}

std::string hmac(HashAlgorithm algorithm, std::string_view key, std::string_view message) {
  std::string mac(hash_bytes(algorithm), '\0');
  const auto* made = HMAC(digest_of(algorithm), key.data(), static_cast<int>(key.size()),
                          raw(message), message.size(), raw(mac), nullptr);
  ENSURE(made != nullptr, "a message can be authenticated");
  return mac;
}

std::string pbkdf2(HashAlgorithm algorithm, std::string_view password, std::string_view salt,
                   std::int32_t iterations) {
  std::string key(hash_bytes(algorithm), '\0');
  const int made = PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), raw(salt),
                                     static_cast<int>(salt.size()), iterations,
                                     digest_of(algorithm), static_cast<int>(key.size()), raw(key));
  ENSURE(made == 1, "a key can be derived");
  return key;
}

}  // namespace weft::crypto
