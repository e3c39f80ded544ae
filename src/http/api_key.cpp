#include "http/api_key.h"

namespace weft::http {

std::string_view bearer_token_of(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (!equals_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) return {};
  authorization.remove_prefix(kScheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  return authorization;
}

// One walk over the fields: the gateway asks for every request.
std::string_view api_key_of(const RequestHead& head) {
  constexpr std::string_view kKey = "x-api-key";
  constexpr std::string_view kAuthorization = "authorization";
  std::string_view bearer;
  for (const auto& field : head.fields) {
    if (field.name.size() == kKey.size() && equals_ignoring_case(field.name, kKey))
      return field.value;
    if (bearer.empty() && field.name.size() == kAuthorization.size() &&
        equals_ignoring_case(field.name, kAuthorization)) {
      bearer = bearer_token_of(field.value);
    }
  }
  return bearer;
}

}  // namespace weft::http
