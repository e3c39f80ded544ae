// The gateway's port to identity, and the memory that makes it cheap: a connection remembers the
// last credential that was accepted on it, for at most a second, so that a revoked key is refused a
// second later everywhere.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "http/server.h"
#include "identity/principal.h"

namespace weft::gateway {

// Any thread.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // Unauthenticated for an unknown, expired or revoked key.
  virtual Result<identity::PrincipalRef> authenticate(std::string_view api_key) const = 0;
};

// Authenticates the exchange. Uses the exchange's connection slot: one user per handler.
Result<identity::PrincipalRef> authenticate(http::Exchange& exchange,
                                            const Authenticator& authenticator);

}  // namespace weft::gateway
