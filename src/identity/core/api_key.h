// The form of an API key: weft_<key id>_<secret>, 16 lower-case hex digits and 43 characters of
// base64url (32 bytes). Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weft::identity {

inline constexpr std::size_t kKeyIdBytes = 8;
inline constexpr std::size_t kSecretBytes = 32;

// The key id of a well-formed key, a view into it.
std::optional<std::string_view> key_id_of(std::string_view key);

// From kKeyIdBytes and kSecretBytes of random bytes.
std::string api_key_of(std::string_view id_bytes, std::string_view secret_bytes);

}  // namespace weft::identity
