// For tests: what Server does with the connections of a socket, with streams that come from
// elsewhere: from a script or the network of a simulated world. One loop. The handler and every
// stream that is being served use it to their end.
#pragma once

#include <memory>
#include <utility>

#include "http/edge/server_connection.h"
#include "http/edge/server_context.h"

namespace weft::http {

class StreamServer {
 public:
  StreamServer(ServerOptions options, Handler& handler, Clock& clock, Metrics& metrics)
      : context_(std::move(options), handler, clock, metrics) {}

  // Until the connection ends.
  Task<void> serve(std::unique_ptr<net::Stream> stream) {
    ServerConnection connection(std::move(stream), context_, 0);
    co_await connection.run();
  }

 private:
  ServerContext context_;
};

}  // namespace weft::http
