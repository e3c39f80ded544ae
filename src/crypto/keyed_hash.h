// SHA-256 and SHA-512 (FIPS 180-4), HMAC (RFC 2104) and PBKDF2 (RFC 8018) over them, by OpenSSL,
// where the algorithm is chosen at run time. For the hot path: digest.h. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weft::crypto {

enum class HashAlgorithm : std::uint8_t { Sha256, Sha512 };

std::size_t hash_bytes(HashAlgorithm algorithm);  // 32 or 64

std::string hash(HashAlgorithm algorithm, std::string_view bytes);
std::string hmac(HashAlgorithm algorithm, std::string_view key, std::string_view message);

// As many bytes as the hash has. Takes about a microsecond per two iterations; the calling thread
// blocks. Requires: iterations >= 1.
std::string pbkdf2(HashAlgorithm algorithm, std::string_view password, std::string_view salt,
                   std::int32_t iterations);

}  // namespace weft::crypto
