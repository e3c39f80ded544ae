// Classes of characters, and the bytes of a JSON string that need care. Private to base.
#pragma once

#include <bit>
#include <cstdint>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace weft {

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

inline bool is_plain_string_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

// The first quote, backslash, control character or non-ASCII byte at or after `at`; `end` if none.
inline const char* skip_plain(const char* at, const char* end) {
#if defined(__x86_64__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i space = _mm_set1_epi8(0x20);
  while (end - at >= 16) {
    const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    // As signed bytes, control characters and all of 0x80-0xff are less than a space.
    const __m128i special =
        _mm_or_si128(_mm_cmplt_epi8(chunk, space),
                     _mm_or_si128(_mm_cmpeq_epi8(chunk, quote), _mm_cmpeq_epi8(chunk, backslash)));
    const auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(special));
    if (mask != 0) return at + std::countr_zero(mask);
    at += 16;
  }
#endif
  while (at < end && is_plain_string_byte(*at)) ++at;
  return at;
}

}  // namespace weft
