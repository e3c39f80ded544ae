#include "base/uuid.h"

#include "base/bytes.h"

namespace weft {
namespace {

constexpr std::size_t kTextSize = 36;

bool is_dash_place(std::size_t i) {
  return i == 8 || i == 13 || i == 18 || i == 23;
}

}  // namespace

Uuid Uuid::v7(WallTime now, std::uint64_t random_high, std::uint64_t random_low) {
  const auto ms = static_cast<std::uint64_t>(to_unix_ms(now));
  Uuid id;
  store_be(id.bytes_.data(), ms << 16 | 0x7000 | (random_high & 0x0fff));
  store_be(id.bytes_.data() + 8, std::uint64_t{1} << 63 | random_low >> 2);
  return id;
}

Uuid Uuid::v4(std::uint64_t random_high, std::uint64_t random_low) {
  Uuid id;
  store_be(id.bytes_.data(), (random_high & ~std::uint64_t{0xf000}) | 0x4000);
  store_be(id.bytes_.data() + 8, std::uint64_t{1} << 63 | random_low >> 2);
  return id;
}

Uuid Uuid::from_bytes(const std::array<char, 16>& bytes) {
  Uuid id;
  id.bytes_ = bytes;
  return id;
}

Result<Uuid> Uuid::parse(std::string_view text) {
  const auto refused = [&] {
    return fail(ErrorCode::InvalidArgument,
                "not a UUID: expected the form 01234567-89ab-cdef-0123-456789abcdef");
  };
  if (text.size() != kTextSize) return refused();
  std::string digits;
  for (std::size_t i = 0; i < kTextSize; ++i) {
    if (is_dash_place(i)) {
      if (text[i] != '-') return refused();
    } else {
      digits += text[i];
    }
  }
  const auto bytes = from_hex(digits);
  if (!bytes) return refused();
  Uuid id;
  std::memcpy(id.bytes_.data(), bytes->data(), id.bytes_.size());
  return id;
}

std::string Uuid::text() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out(kTextSize, '-');
  std::size_t at = 0;
  for (const char c : bytes_) {
    if (is_dash_place(at)) ++at;
    const auto byte = static_cast<unsigned char>(c);
    out[at++] = kDigits[byte >> 4];
    out[at++] = kDigits[byte & 15];
  }
  return out;
}

}  // namespace weft
