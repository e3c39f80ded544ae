// What the connections of one server share. Made before the first connection, immutable but for the
// atomics; used by all loops.
#pragma once

#include <atomic>
#include <string>

#include "http/server.h"
#include "runtime/metrics.h"

namespace weft::http {

struct ServerContext {
  ServerContext(ServerOptions server_options, Handler& server_handler, Clock& server_clock,
                Metrics& metrics);

  ServerOptions options;
  Handler& handler;
  Clock& clock;
  std::atomic<bool> is_draining = false;
  std::atomic<std::uint32_t> connections = 0;

  Gauge& connections_open;
  Counter& requests;
  Counter& refused_heads;
  Counter& refused_connections;
  Counter& timeouts;
  Counter& handler_failures;
};

}  // namespace weft::http
