#include "crypto/key.h"

#include <openssl/crypto.h>

#include <cstring>

namespace weft::crypto {

KeyHandle& KeyHandle::operator=(KeyHandle&& other) noexcept {
  if (this == &other) return *this;
  wipe(bytes_.get(), size_);
  bytes_ = std::move(other.bytes_);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

KeyHandle::~KeyHandle() {
  wipe(bytes_.get(), size_);
}

KeyHandle KeyHandle::copy_of(std::string_view secret) {
  KeyHandle key;
  key.bytes_ = std::make_unique<char[]>(secret.size());
  key.size_ = secret.size();
  std::memcpy(key.bytes_.get(), secret.data(), secret.size());
  return key;
}

KeyHandle KeyHandle::take(std::string&& secret) {
  auto key = copy_of(secret);
  wipe(secret.data(), secret.size());
  secret.clear();
  return key;
}

void wipe(char* bytes, std::size_t size) {
  if (size > 0) OPENSSL_cleanse(bytes, size);
}

}  // namespace weft::crypto
