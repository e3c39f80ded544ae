// Carries bytes both ways between two streams until both ends have finished or one has failed: what
// is left of an exchange after 101.
#pragma once

#include <string_view>

#include "runtime/clock.h"
#include "runtime/net.h"
#include "runtime/task.h"

namespace weft::gateway {

// `early`: bytes of the upstream that were read with its head.
Task<void> run_tunnel(net::Stream& client, net::Stream& upstream, std::string_view early,
                      Clock& clock);

}  // namespace weft::gateway
