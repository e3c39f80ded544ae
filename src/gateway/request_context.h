// What the gateway knows about one request once it is routed and authenticated. Lives on the
// connection's loop as long as the exchange.
#pragma once

#include <array>
#include <string>

#include "base/time.h"
#include "identity/principal.h"
#include "runtime/spans.h"

namespace weft::gateway {

struct RequestContext {
  TraceContext trace;                // its span_id is the span of this request
  std::array<char, 8> parent_id{};   // the caller's span; zero when the trace starts here
  identity::PrincipalRef principal;  // null on routes that authenticate nobody
  WallTime start{};
};

}  // namespace weft::gateway
