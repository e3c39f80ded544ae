// Classes of characters, and the bytes of a JSON string that need care. For base and mapping. Pure.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

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

#if defined(__x86_64__)
// Which bytes need care: as signed bytes, control characters and all of 0x80-0xff are less than a
// space.
template <bool kDeleteToo = false>
__m128i special_bytes(__m128i chunk) {
  const __m128i quotes = _mm_or_si128(_mm_cmpeq_epi8(chunk, _mm_set1_epi8('"')),
                                      _mm_cmpeq_epi8(chunk, _mm_set1_epi8('\\')));
  const __m128i special = _mm_or_si128(_mm_cmplt_epi8(chunk, _mm_set1_epi8(0x20)), quotes);
  if constexpr (!kDeleteToo) return special;
  return _mm_or_si128(special, _mm_cmpeq_epi8(chunk, _mm_set1_epi8(0x7f)));
}
#endif

// The first quote, backslash, control character or non-ASCII byte at or after `at`; `end` if none.
inline const char* skip_plain(const char* at, const char* end) {
#if defined(__x86_64__)
  while (end - at >= 16) {
    const __m128i special = special_bytes(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
    const auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(special));
    if (mask != 0) return at + std::countr_zero(mask);
    at += 16;
  }
#endif
  while (at < end && is_plain_string_byte(*at)) ++at;
  return at;
}

// Whether no byte needs care. Names and short values are looked at whole: two loads that overlap.
// JSON need not escape the delete character, jq does.
template <bool kDeleteToo = false>
bool is_plain_text(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
#if defined(__x86_64__)
  if (text.size() >= 16) {
    __m128i special =
        special_bytes<kDeleteToo>(_mm_loadu_si128(reinterpret_cast<const __m128i*>(end - 16)));
    for (; end - at > 16; at += 16) {
      const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
      special = _mm_or_si128(special, special_bytes<kDeleteToo>(chunk));
    }
    return _mm_movemask_epi8(special) == 0;
  }
  if (text.size() >= 8) {
    const __m128i chunk =
        _mm_unpacklo_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at)),
                           _mm_loadl_epi64(reinterpret_cast<const __m128i*>(end - 8)));
    return _mm_movemask_epi8(special_bytes<kDeleteToo>(chunk)) == 0;
  }
  if (text.size() >= 4) {
    std::uint32_t first;
    std::uint32_t last;
    std::memcpy(&first, at, sizeof first);
    std::memcpy(&last, end - sizeof last, sizeof last);
    const std::uint64_t both = std::uint64_t{last} << 32 | first;
    const __m128i chunk = _mm_set1_epi64x(static_cast<long long>(both));
    return _mm_movemask_epi8(special_bytes<kDeleteToo>(chunk)) == 0;
  }
#endif
  while (at < end && is_plain_string_byte(*at) && !(kDeleteToo && *at == 0x7f)) ++at;
  return at == end;
}

}  // namespace weft
