// How one node asks another of the same state database: "Authorization: Weft-Node <ms>:<mark>",
// where the mark vouches for the moment and the request's target, made with identity.key. No key of
// a caller leaves the node that it was shown to. Pure but for the key; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "identity/identity.h"

namespace weft::app {

inline constexpr std::string_view kNodeScheme = "Weft-Node ";
// Clocks of nodes may be so far apart.
inline constexpr Duration kNodeQueryLifetime = 60s;

// `target` from /api/v1 on.
std::string node_authorization(const identity::Identity& identity, std::string_view target,
                               WallTime now);
// Unauthenticated when the mark is wrong, or too old.
Result<> check_node_authorization(const identity::Identity& identity, std::string_view field,
                                  std::string_view target, WallTime now);

}  // namespace weft::app
