// Connections that are kept for the next request: of the client, and of whoever pools its own.
// Pure but for the look; on the connection's loop.
#pragma once

namespace weft::net {
class Stream;
}

namespace weft::http {

// Whether one that waits for its next request can take it. One that the peer has closed, or on
// which it spoke unasked, is of no use; what it said is then gone. Costs one read.
bool is_alive(net::Stream& idle);

}  // namespace weft::http
