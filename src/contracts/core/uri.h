// References between schemas (RFC 3986): resolution against a base and the fragment. Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>

namespace weft::contracts {

// The reference seen from the base (section 5.2). A base without a scheme gives a relative result.
std::string resolve_uri(std::string_view base, std::string_view reference);

// The part before '#', and the part after it with its percent-escapes decoded (empty when there is
// none).
std::string_view uri_without_fragment(std::string_view uri);
std::string uri_fragment(std::string_view uri);

// "%2F" becomes "/"; a '%' without two hexadecimal digits stays.
std::string percent_decoded(std::string_view text);

}  // namespace weft::contracts
