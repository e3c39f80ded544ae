// The HTTP/1.1 server: keep-alive, pipelining, chunked bodies, Expect, upgrade, limits; TLS when
// given a context. Smuggling cases of RFC 9112 are refused and close the connection.
//
// A connection belongs to one loop. The handler is called on it, one exchange at a time per
// connection, and shared by all loops: it must be safe to call from several at once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "http/message.h"
#include "runtime/clock.h"
#include "runtime/loops.h"
#include "runtime/metrics.h"
#include "runtime/net.h"
#include "runtime/task.h"
#include "runtime/tls.h"

namespace weft::http {

struct ServerLimits {
  std::uint32_t head_bytes_max = 32 * 1024;
  std::uint32_t fields_max = 100;
  std::uint64_t body_bytes_max = 10 * 1024 * 1024;
  Duration head_timeout = 10s;   // from the first byte of a head to its end
  Duration body_timeout = 30s;   // between two reads of a body, with 240 B/s as least average rate
  Duration idle_timeout = 75s;   // between two requests
  Duration write_timeout = 30s;  // for a peer that does not read
  std::uint32_t connections_max = 10'000;
};

// One request and its response. Lives on the connection's loop until the handler's task returns;
// views that it hands out live as long.
class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual const RequestHead& head() const = 0;
  virtual net::Endpoint peer() const = 0;
  virtual bool is_tls() const = 0;
  virtual std::size_t loop_index() const = 0;
  virtual std::string_view peer_address() const = 0;  // peer().host without a copy
  // When the head was complete. Saves the handler a look at the clock.
  virtual MonoTime received_at() const = 0;
  // Room for what a handler remembers about this connection, from exchange to exchange.
  virtual std::shared_ptr<void>& connection_slot() = 0;

  // The whole body. ResourceExhausted above `bytes_max` (answer 413), InvalidArgument for bad
  // framing (400).
  virtual Task<Result<std::string_view>> read_body(std::uint64_t bytes_max) = 0;
  // The whole body if it is there already, without a wait; it stays valid until the exchange ends.
  virtual std::optional<std::string_view> try_read_body() = 0;
  // Or piece by piece: the next decoded bytes, valid until the next call; empty at the end.
  virtual Task<Result<std::string_view>> read_some() = 0;

  // A whole response in one write; adds Content-Length, Date and Connection.
  virtual Task<Result<>> respond(const Response& response) = 0;
  // The same without a wait: what the socket does not take at once is kept and sent after the
  // handler has returned, so it is for bodies of some kilobytes. False when the connection is
  // broken.
  virtual bool respond_now(int status, std::span<const Field> fields, std::string_view body) = 0;
  // Or in pieces: chunked unless a Content-Length field is among the fields. Then write()*,
  // finish().
  virtual Task<Result<>> start(int status, std::span<const Field> fields) = 0;
  virtual Task<Result<>> write(std::string_view piece) = 0;
  virtual Task<Result<>> finish() = 0;
  virtual bool response_started() const = 0;

  // The raw stream with what was read ahead, for upgrade and for the proxy path; the connection
  // closes when the handler returns unless the handler keeps HTTP framing intact and says so.
  virtual net::Stream& stream() = 0;
};

class Handler {
 public:
  virtual ~Handler() = default;
  // A handler that returns without responding makes the server answer 500.
  virtual Task<void> handle(Exchange& exchange) = 0;
};

struct ServerOptions {
  std::string name;  // for logs and metrics: "gateway", "admin", "ops"
  net::Endpoint listen;
  ServerLimits limits;
  std::optional<TlsContext> tls;  // plain without
};

class Server {
 public:
  // Binds at once, so that a taken port is reported before anything else starts.
  static Result<std::unique_ptr<Server>> open(ServerOptions options, Handler& handler, Loops& loops,
                                              Clock& clock, Metrics& metrics);
  // Requires: stop() has returned, or start() was never called.
  virtual ~Server() = default;
  virtual net::Endpoint local() const = 0;
  // Accepts until stop(); called once, before loops.run().
  virtual void start() = 0;
  // Stops accepting, lets exchanges in flight finish until `drain`, then closes. Any thread but a
  // loop's; blocks. Requires: the loops still run; they are stopped afterwards.
  virtual void stop(Duration drain) = 0;
};

}  // namespace weft::http
