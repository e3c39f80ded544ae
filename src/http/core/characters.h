// Character classes of HTTP (RFC 9110 section 5.6) as table and word-at-a-time scans. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

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

inline bool is_value(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  constexpr std::uint64_t kHigh = 0x8080808080808080u;
  const char* at = text.data();
  std::size_t left = text.size();
  while (left >= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    auto below_space = (word - kOnes * 0x20) & ~word & kHigh;
    auto without_del = word ^ (kOnes * 0x7F);
    auto is_del = (without_del - kOnes) & ~without_del & kHigh;
    if ((below_space | is_del) != 0) {
      for (int i = 0; i < 8; ++i) {
        if (!is_value_char(at[i])) return false;
      }
    }
    at += 8;
    left -= 8;
  }
  for (; left > 0; --left, ++at) {
    if (!is_value_char(*at)) return false;
  }
  return true;
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

inline char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// `lower` is in lower case already.
inline bool equals_lower(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (to_lower(text[i]) != lower[i]) return false;
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
