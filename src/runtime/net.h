// The seam to the network: byte streams, plain or TLS, and their listeners. Back ends: sockets on
// an event loop, and a simulated network with delay, loss of connection and partition.
//
// A Stream lives and dies on the loop that accepted or connected it; one read and one write may be
// pending at a time. Every wait ends at the deadline set last with DeadlineExceeded; deadlines are
// checked by the loop's coarse tick (100 ms), so setting one costs no system call and no
// allocation.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "runtime/task.h"

namespace weft::net {

struct Endpoint {
  std::string host;  // name or address; IPv6 without brackets
  std::uint16_t port = 0;
  std::string text() const;  // host:port, [v6]:port
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

class Stream {
 public:
  virtual ~Stream() = default;

  // At least one byte, or 0 at the orderly end of the stream.
  virtual Task<Result<std::size_t>> read_some(std::span<char> into) = 0;
  // All buffers in order (at most 16), as one writev where the socket takes it.
  virtual Task<Result<>> write(std::span<const std::string_view> buffers) = 0;
  // Writes what the socket takes at once without waiting; 0 when it takes nothing. Lets a hot path
  // skip a coroutine: call write() with the rest only when this returned less than everything.
  virtual Result<std::size_t> try_write(std::span<const std::string_view> buffers) = 0;
  // Like read_some without waiting; Unavailable when nothing is there.
  virtual Result<std::size_t> try_read(std::span<char> into) = 0;
  // Sends `size` bytes of a file from `offset` (sendfile where the stream is plain).
  virtual Task<Result<>> send_file(int descriptor, std::uint64_t offset, std::uint64_t size) = 0;

  virtual void set_deadline(MonoTime when) = 0;
  // No more bytes will be written (FIN, close_notify).
  virtual Task<Result<>> finish_writing() = 0;
  // Ends both directions at once; pending operations fail with Cancelled. Safe to repeat.
  virtual void close() = 0;

  virtual Endpoint peer() const = 0;
  virtual bool is_tls() const { return false; }
  // The protocol agreed on by ALPN, or empty.
  virtual std::string_view alpn() const { return {}; }
};

class Listener {
 public:
  virtual ~Listener() = default;
  virtual Task<Result<std::unique_ptr<Stream>>> accept() = 0;
  virtual Endpoint local() const = 0;  // with the real port when 0 was asked for
  virtual void close() = 0;
};

// Opens connections on the caller's loop. What may be connected to is decided by the Dialer above
// it.
class Network {
 public:
  virtual ~Network() = default;
  virtual Task<Result<std::unique_ptr<Stream>>> connect(Endpoint resolved, MonoTime deadline) = 0;
  // AlreadyExists when the address is in use; PermissionDenied for a privileged port.
  virtual Task<Result<std::unique_ptr<Listener>>> listen(Endpoint local) = 0;
  // All addresses of a name, in the order in which to try them. Literal addresses come back as they
  // are.
  virtual Task<Result<std::vector<std::string>>> resolve(std::string host, MonoTime deadline) = 0;
};

}  // namespace weft::net
