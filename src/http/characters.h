// Character classes of HTTP (RFC 9110 section 5.6) as table and block-at-a-time scans. Pure.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/ascii.h"

namespace weft::http {

namespace detail {

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}

inline constexpr auto kTokenTable = make_token_table();

}  // namespace detail

inline bool is_token_char(char c) {
  return detail::kTokenTable[static_cast<unsigned char>(c)];
}

inline bool is_token(std::string_view text) {
  for (char c : text) {
    if (!is_token_char(c)) return false;
  }
  return !text.empty();
}

// Tab, space, visible and obs-text characters.
inline bool is_value_char(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
}

// Of 16 bytes, a bit for each control character but tab (which includes CR and LF).
#if defined(__SSE2__)
inline constexpr std::size_t kControlBlock = 16;
inline unsigned control_bits(const char* at) {
  auto block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  // Unsigned "at most 0x1F" as equality with the minimum.
  auto low = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block);
  auto del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7F));
  auto tab = _mm_cmpeq_epi8(block, _mm_set1_epi8('\t'));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_andnot_si128(tab, _mm_or_si128(low, del))));
}
#else
inline constexpr std::size_t kControlBlock = 16;
inline unsigned control_bits(const char* at) {
  unsigned bits = 0;
  for (unsigned i = 0; i < kControlBlock; ++i) bits |= unsigned{!is_value_char(at[i])} << i;
  return bits;
}
#endif

// Position of the first control character but tab at or behind `from`; the text's size when there
// is none.
inline std::size_t find_control(std::string_view text, std::size_t from) {
  while (from + kControlBlock <= text.size()) {
    if (auto bits = control_bits(text.data() + from); bits != 0) {
      return from + static_cast<std::size_t>(std::countr_zero(bits));
    }
    from += kControlBlock;
  }
  if (text.size() < kControlBlock) {
    while (from < text.size() && is_value_char(text[from])) ++from;
    return from;
  }
  // The last block overlaps what was seen already.
  auto last = text.size() - kControlBlock;
  auto bits = control_bits(text.data() + last) >> (from - last);
  return bits == 0 ? text.size() : from + static_cast<std::size_t>(std::countr_zero(bits));
}

namespace detail {

// The high bit of each byte that is a control character, tab included.
inline std::uint64_t control_bytes(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  constexpr std::uint64_t kHigh = 0x8080808080808080u;
  auto low = (word - kOnes * 0x20) & ~word;
  auto without_del = word ^ (kOnes * 0x7F);
  return (low | ((without_del - kOnes) & ~without_del)) & kHigh;
}

template <class Word>
Word load_word(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

}  // namespace detail

inline bool is_value(std::string_view text) {
  if (text.size() >= 8 && text.size() <= 16) {
    auto first = detail::load_word<std::uint64_t>(text.data());
    auto last = detail::load_word<std::uint64_t>(text.data() + text.size() - 8);
    if ((detail::control_bytes(first) | detail::control_bytes(last)) == 0) return true;
  }
  return find_control(text, 0) == text.size();
}

// Visible ASCII without space: what a request target is made of.
inline bool is_target_char(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte < 0x7F;
}

inline std::string_view trim_spaces(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Compares without case; `lower` is letters, digits and "-" in lower case, `text` has no control
// characters: then setting the bit that tells the cases apart makes nothing else equal.
inline bool equals_lower(std::string_view text, std::string_view lower) {
  auto size = text.size();
  if (size != lower.size()) return false;
  const char* a = text.data();
  const char* b = lower.data();
  using detail::load_word;
  if (size >= 8) {
    constexpr std::uint64_t kCase = 0x2020202020202020u;
    for (std::size_t i = 0; i + 8 < size; i += 8) {
      if ((load_word<std::uint64_t>(a + i) | kCase) != load_word<std::uint64_t>(b + i))
        return false;
    }
    return (load_word<std::uint64_t>(a + size - 8) | kCase) ==
           load_word<std::uint64_t>(b + size - 8);
  }
  if (size >= 4) {
    constexpr std::uint32_t kCase = 0x20202020u;
    return (load_word<std::uint32_t>(a) | kCase) == load_word<std::uint32_t>(b) &&
           (load_word<std::uint32_t>(a + size - 4) | kCase) ==
               load_word<std::uint32_t>(b + size - 4);
  }
  for (std::size_t i = 0; i < size; ++i) {
    if ((a[i] | 0x20) != b[i]) return false;
  }
  return true;
}

// Calls visit(element) for each element of a comma-separated list (RFC 9110 section 5.6.1).
template <class Visit>
void for_each_element(std::string_view list, Visit&& visit) {
  while (!list.empty()) {
    auto comma = list.find(',');
    auto element = trim_spaces(list.substr(0, comma));
    if (!element.empty()) visit(element);
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace weft::http
