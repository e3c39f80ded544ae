#include "delivery/core/signature.h"

#include "base/bytes.h"

namespace weft::delivery {

namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr std::size_t kKeyBytesMin = 24;
constexpr std::size_t kKeyBytesMax = 64;
constexpr std::size_t kNewKeyBytes = 32;

}  // namespace

Result<SigningKey> SigningKey::parse(std::string_view secret) {
  if (!secret.starts_with(kPrefix)) {
    return fail(ErrorCode::InvalidArgument, "a signing secret starts with whsec_");
  }
  auto bytes = from_base64(secret.substr(kPrefix.size()));
  if (!bytes) return fail(ErrorCode::InvalidArgument, "a signing secret is whsec_ and Base64");
  if (bytes->size() < kKeyBytesMin || bytes->size() > kKeyBytesMax) {
    return fail(ErrorCode::InvalidArgument, "a signing secret has {} to {} bytes, this one has {}",
                kKeyBytesMin, kKeyBytesMax, bytes->size());
  }
  return SigningKey(crypto::HmacKey(*bytes));
}

std::string new_secret(Random& random) {
  return std::string(kPrefix) + to_base64(random.bytes(kNewKeyBytes));
}

std::string sign(std::span<const SigningKey> keys, std::string_view id, std::int64_t timestamp,
                 std::string_view body) {
  std::string head(id);
  head.append(1, '.').append(std::to_string(timestamp)).append(1, '.');
  std::string out;
  for (const auto& key : keys) {
    if (!out.empty()) out.push_back(' ');
    out.append("v1,").append(to_base64(key.hmac().sign({head, body})));
  }
  return out;
}

}  // namespace weft::delivery
