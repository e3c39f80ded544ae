#include "crypto/aead.h"

#include <openssl/evp.h>

#include "crypto/raw_bytes.h"

namespace weft::crypto {

namespace {

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

constexpr auto kAllOk = "AES-256-GCM takes any input";

int length_of(std::string_view bytes) {
  ENSURE(bytes.size() <= (1U << 30), "a sealed message has at most 1 GiB");
  return static_cast<int>(bytes.size());
}

CipherContext start(const KeyHandle& key, std::string_view nonce, int encrypts) {
  ENSURE(nonce.size() == kAeadNonceBytes, "a GCM nonce has 12 bytes");
  CipherContext context(EVP_CIPHER_CTX_new());
  ENSURE(EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, raw(key.reveal()), raw(nonce),
                           encrypts) == 1,
         kAllOk);
  return context;
}

void update(EVP_CIPHER_CTX* context, unsigned char* out, std::string_view in) {
  int written = 0;
  if (in.empty()) return;
  ENSURE(EVP_CipherUpdate(context, out, &written, raw(in), length_of(in)) == 1, kAllOk);
}

}  // namespace

Result<Aead> Aead::from_key(KeyHandle key) {
  if (key.size() != kAeadKeyBytes) {
    return fail(ErrorCode::InvalidArgument, "an AES-256 key has {} bytes, not {}", kAeadKeyBytes,
                key.size());
  }
  return Aead(std::move(key));
}

std::string Aead::seal(std::string_view nonce, std::string_view plain,
                       std::string_view bound) const {
  auto context = start(key_, nonce, 1);
  std::string sealed(plain.size() + kAeadTagBytes, '\0');
  int written = 0;
  update(context.get(), nullptr, bound);
  update(context.get(), raw(sealed), plain);
  auto* tag = raw(sealed) + plain.size();
  ENSURE(EVP_CipherFinal_ex(context.get(), tag, &written) == 1, kAllOk);
  ENSURE(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes, tag) == 1,
         kAllOk);
  return sealed;
}

Result<std::string> Aead::open(std::string_view nonce, std::string_view sealed,
                               std::string_view bound) const {
  const auto refuse = [] { return fail(ErrorCode::DataLoss, "a sealed value does not open"); };
  if (sealed.size() < kAeadTagBytes || nonce.size() != kAeadNonceBytes) return refuse();
  const auto cipher = sealed.substr(0, sealed.size() - kAeadTagBytes);
  std::string tag(sealed.substr(cipher.size()));
  auto context = start(key_, nonce, 0);
  std::string plain(cipher.size(), '\0');
  int written = 0;
  update(context.get(), nullptr, bound);
  update(context.get(), raw(plain), cipher);
  ENSURE(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes, tag.data()) == 1,
         kAllOk);
  unsigned char rest[kAeadTagBytes];
  if (EVP_CipherFinal_ex(context.get(), rest, &written) == 1) return plain;
  // What was decrypted before the tag was checked must not be seen.
  wipe(plain.data(), plain.size());
  return refuse();
}

}  // namespace weft::crypto
