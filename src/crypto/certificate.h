// Which hosts an X.509 certificate is for (RFC 9525: its subject alternative names, nothing else).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::crypto {

// The DNS names and addresses of the first certificate of a PEM text, in its order; none when it
// has none. InvalidArgument when there is no certificate.
Result<std::vector<std::string>> certificate_names(std::string_view pem);

// Whether a client that connects to `host` (a name or an address) finds it in the certificate.
Result<bool> certificate_is_for(std::string_view pem, const std::string& host);

}  // namespace weft::crypto
