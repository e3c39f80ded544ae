// Bytes are std::string_view and std::string throughout Weft. Here: fixed-width big-endian access,
// text forms (hex, base64), and checksums. Pure; any thread.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft {

template <std::integral T>
T load_be(const char* at) {
  std::make_unsigned_t<T> value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (sizeof(T) > 1) value = std::byteswap(value);
  return static_cast<T>(value);
}

template <std::integral T>
void store_be(char* at, T number) {
  auto value = static_cast<std::make_unsigned_t<T>>(number);
  if constexpr (sizeof(T) > 1) value = std::byteswap(value);
  std::memcpy(at, &value, sizeof value);
}

template <std::integral T>
void append_be(std::string& out, T number) {
  char bytes[sizeof(T)];
  store_be(bytes, number);
  out.append(bytes, sizeof bytes);
}

std::string to_hex(std::string_view bytes);
Result<std::string> from_hex(std::string_view text);

// RFC 4648: section 4 (standard, padded) and section 5 (URL-safe, unpadded).
std::string to_base64(std::string_view bytes);
std::string to_base64url(std::string_view bytes);
// Accepts padded and unpadded input of the standard alphabet.
Result<std::string> from_base64(std::string_view text);
Result<std::string> from_base64url(std::string_view text);

// CRC-32C (Castagnoli; RFC 3720 B.4) with the processor's instruction where it has one. Continue a
// running checksum by passing the previous value as seed.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);
// The same by tables, as on a processor without the instruction.
std::uint32_t crc32c_without_instruction(std::string_view bytes, std::uint32_t seed = 0);

// 64-bit FNV-1a: stable over processes and versions, for hashes that are stored. Not for hostile
// keys.
std::uint64_t fnv1a(std::string_view bytes);

// Whether the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_utf8(std::string_view bytes);

// Lets std::unordered_map<std::string, …> be searched by std::string_view without a copy.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

}  // namespace weft
