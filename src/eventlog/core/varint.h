// Variable-length integers of the Kafka protocol: base-128 groups, lowest first; records use them
// with zig-zag signs, flexible messages without. Reading is bounds-checked. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace weft::eventlog {

constexpr std::uint64_t zigzag(std::int64_t number) {
  return (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t bits) {
  return static_cast<std::int64_t>(bits >> 1) ^ -static_cast<std::int64_t>(bits & 1);
}

constexpr std::size_t uvarint_size(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

inline void append_uvarint(std::string& out, std::uint64_t value) {
  char bytes[10];
  std::size_t size = 0;
  for (; value >= 0x80; value >>= 7) bytes[size++] = static_cast<char>(value | 0x80);
  bytes[size++] = static_cast<char>(value);
  out.append(bytes, size);
}
inline void append_varint(std::string& out, std::int64_t number) {
  append_uvarint(out, zigzag(number));
}

// Advances `at`; false, and `at` undefined, when the bytes end early or the number has more than
// `bits`.
inline bool read_uvarint(const char*& at, const char* end, std::uint64_t& value, int bits = 64) {
  value = 0;
  for (int shift = 0; shift < bits; shift += 7) {
    if (at == end) return false;
    const auto byte = static_cast<unsigned char>(*at++);
    const auto group = static_cast<std::uint64_t>(byte & 0x7F);
    if (bits - shift < 7 && (group >> (bits - shift)) != 0) return false;
    value |= group << shift;
    if (byte < 0x80) return true;
  }
  return false;
}
inline bool read_varint(const char*& at, const char* end, std::int64_t& number, int bits = 64) {
  std::uint64_t raw = 0;
  if (!read_uvarint(at, end, raw, bits)) return false;
  number = unzigzag(raw);
  return true;
}

}  // namespace weft::eventlog
