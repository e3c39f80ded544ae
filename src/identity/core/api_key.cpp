#include "identity/core/api_key.h"

#include <algorithm>

#include "base/bytes.h"

namespace weft::identity {

namespace {

constexpr std::string_view kPrefix = "weft_";
constexpr std::size_t kIdSize = kKeyIdBytes * 2;
constexpr std::size_t kSecretSize = 43;
constexpr std::size_t kKeySize = kPrefix.size() + kIdSize + 1 + kSecretSize;

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}
bool is_base64url(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '_';
}

}  // namespace

std::optional<std::string_view> key_id_of(std::string_view key) {
  if (key.size() != kKeySize || !key.starts_with(kPrefix)) return {};
  auto id = key.substr(kPrefix.size(), kIdSize);
  auto secret = key.substr(kKeySize - kSecretSize);
  if (key[kPrefix.size() + kIdSize] != '_' || !std::ranges::all_of(id, is_hex) ||
      !std::ranges::all_of(secret, is_base64url)) {
    return {};
  }
  return id;
}

std::string api_key_of(std::string_view id_bytes, std::string_view secret_bytes) {
  std::string key(kPrefix);
  return key.append(to_hex(id_bytes)).append("_").append(to_base64url(secret_bytes));
}

}  // namespace weft::identity
