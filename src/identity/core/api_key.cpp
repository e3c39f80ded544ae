#include "identity/core/api_key.h"

#include <array>

#include "base/bytes.h"

namespace weft::identity {

namespace {

constexpr std::string_view kPrefix = "weft_";
constexpr std::size_t kIdSize = kKeyIdBytes * 2;
constexpr std::size_t kSecretSize = 43;
constexpr std::size_t kKeySize = kPrefix.size() + kIdSize + 1 + kSecretSize;

// One look per character: this runs for every request.
struct Alphabet {
  consteval explicit Alphabet(std::string_view characters) {
    for (char c : characters) holds[static_cast<unsigned char>(c)] = true;
  }
  bool has_all(std::string_view text) const {
    bool all = true;
    for (char c : text) all &= holds[static_cast<unsigned char>(c)];
    return all;
  }
  std::array<bool, 256> holds{};
};

constexpr Alphabet kHex("0123456789abcdef");
constexpr Alphabet kBase64url("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

}  // namespace

std::optional<std::string_view> key_id_of(std::string_view key) {
  if (key.size() != kKeySize || !key.starts_with(kPrefix)) return {};
  auto id = key.substr(kPrefix.size(), kIdSize);
  auto secret = key.substr(kKeySize - kSecretSize);
  if (key[kPrefix.size() + kIdSize] != '_' || !kHex.has_all(id) || !kBase64url.has_all(secret)) {
    return {};
  }
  return id;
}

std::string api_key_of(std::string_view id_bytes, std::string_view secret_bytes) {
  std::string key(kPrefix);
  return key.append(to_hex(id_bytes)).append("_").append(to_base64url(secret_bytes));
}

}  // namespace weft::identity
