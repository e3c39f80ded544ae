// How this module's tests write published vectors: as hexadecimal text.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace weft::crypto {

inline std::string unhex(std::string_view text) {
  return from_hex(text).value();
}

}  // namespace weft::crypto
