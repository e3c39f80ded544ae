// The certificates of the TLS listeners, as the settings name them. Reads files; blocks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/settings/settings.h"
#include "base/result.h"
#include "base/time.h"
#include "runtime/tls.h"

namespace weft::app {

// The context of "admin", "gateway" or "kafka": from tls.<listener>.certificateFile and .keyFile,
// else from tls.certificateFile and tls.keyFile; absent when neither is set. The error names the
// setting and the file.
Result<std::optional<TlsContext>> tls_of(const Settings& settings, std::string_view listener,
                                         const std::vector<std::string>& alpn);

// What is to be said of a certificate: expired, not valid yet, expires within two weeks; or empty.
std::string certificate_warning(const TlsCertificate& certificate, WallTime now);

}  // namespace weft::app
