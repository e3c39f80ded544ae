#include "crypto/passphrase.h"

#include <openssl/evp.h>

#include <array>

namespace weft::crypto {

namespace {

constexpr std::size_t kScryptKeyBytes = 32;
constexpr std::uint64_t kScryptMemoryMax = 256 * 1024 * 1024;

}  // namespace

Result<KeyHandle> key_from_passphrase(std::string_view passphrase, std::string_view salt,
                                      const ScryptCost& cost) {
  std::array<unsigned char, kScryptKeyBytes> bytes;
  int made =
      EVP_PBE_scrypt(passphrase.data(), passphrase.size(),
                     reinterpret_cast<const unsigned char*>(salt.data()), salt.size(), cost.cost,
                     cost.block_size, cost.parallel, kScryptMemoryMax, bytes.data(), bytes.size());
  if (made != 1) {
    return fail(ErrorCode::InvalidArgument, "scrypt refuses cost {}, block size {}, parallel {}",
                cost.cost, cost.block_size, cost.parallel);
  }
  auto* text = reinterpret_cast<char*>(bytes.data());
  auto key = KeyHandle::copy_of({text, bytes.size()});
  wipe(text, bytes.size());
  return key;
}

}  // namespace weft::crypto
