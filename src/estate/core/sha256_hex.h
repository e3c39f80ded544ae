// SHA-256 as 64 hex digits, the form in which the estate stores hashes. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace weft::estate {

inline std::string sha256_hex(std::string_view bytes) {
  return to_hex(crypto::sha256(bytes));
}

}  // namespace weft::estate
