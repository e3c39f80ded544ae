// One UTF-8 sequence at a time (RFC 3629). For base and mapping.
#pragma once

#include <cstdint>
#include <string>

namespace weft {

// Bytes of the well-formed sequence that starts at `at`; 0 when there is none (overlong forms,
// surrogates, values above U+10FFFF, a cut sequence). Requires at < end.
inline unsigned utf8_length(const char* at, const char* end) {
  auto byte = [at](int i) { return static_cast<unsigned char>(at[i]); };
  auto follows = [&](int i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return end - at >= 2 && follows(1) ? 2 : 0;
  if (first < 0xf0) {
    if (end - at < 3 || !follows(1) || !follows(2)) return 0;
    if (first == 0xe0 && byte(1) < 0xa0) return 0;
    if (first == 0xed && byte(1) >= 0xa0) return 0;
    return 3;
  }
  if (first > 0xf4 || end - at < 4 || !follows(1) || !follows(2) || !follows(3)) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) >= 0x90) return 0;
  return 4;
}

// Writes the sequence of a code point (at most U+10FFFF) and returns its length.
inline unsigned utf8_put(char* out, std::uint32_t code) {
  auto put = [out](int i, std::uint32_t byte) { out[i] = static_cast<char>(byte); };
  if (code < 0x80) {
    put(0, code);
    return 1;
  }
  if (code < 0x800) {
    put(0, 0xc0 | code >> 6);
    put(1, 0x80 | (code & 0x3f));
    return 2;
  }
  if (code < 0x10000) {
    put(0, 0xe0 | code >> 12);
    put(1, 0x80 | (code >> 6 & 0x3f));
    put(2, 0x80 | (code & 0x3f));
    return 3;
  }
  put(0, 0xf0 | code >> 18);
  put(1, 0x80 | (code >> 12 & 0x3f));
  put(2, 0x80 | (code >> 6 & 0x3f));
  put(3, 0x80 | (code & 0x3f));
  return 4;
}

}  // namespace weft
