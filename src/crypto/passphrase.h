// A key from words that a person keeps: scrypt (RFC 7914), slow and hungry for memory on purpose,
// so that guessing is.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "crypto/key.h"

namespace weft::crypto {

// What one guess costs: 128 * cost * block_size bytes of memory, and as much work.
struct ScryptCost {
  std::uint64_t cost = 32'768;  // a power of two
  std::uint64_t block_size = 8;
  std::uint64_t parallel = 1;
};

inline constexpr std::size_t kSaltBytes = 16;

// 32 bytes. Takes about 0.1 s; the calling thread blocks. InvalidArgument for a cost that is no
// power of two, or that needs more than 256 MiB.
Result<KeyHandle> key_from_passphrase(std::string_view passphrase, std::string_view salt,
                                      const ScryptCost& cost = {});

}  // namespace weft::crypto
