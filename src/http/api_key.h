// Where a request carries its API key: "X-API-Key: <key>", or "Authorization: Bearer <key>"
// (RFC 6750; the scheme's case does not matter, RFC 9110 section 11.1). Views into the head.
#pragma once

#include <string_view>

#include "http/message.h"

namespace weft::http {

// The token of an Authorization field's value; empty when its scheme is another.
std::string_view bearer_token_of(std::string_view authorization);

// The key of a request; empty when there is none. X-API-Key wins when both are sent.
std::string_view api_key_of(const RequestHead& head);

}  // namespace weft::http
