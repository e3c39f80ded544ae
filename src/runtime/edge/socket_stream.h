// A net::Stream over a non-blocking TCP socket of one loop.
#pragma once

#include <boost/system/error_code.hpp>

#include "runtime/edge/deadline_tick.h"
#include "runtime/edge/readiness.h"
#include "runtime/loops.h"
#include "runtime/net.h"
#include "runtime/resumption.h"

namespace weft {

class SocketStream final : public net::Stream, private Deadline, private Watched {
 public:
  // Owns the descriptor, a connected TCP socket.
  SocketStream(IoContext& loop, int descriptor);
  ~SocketStream() override;

  // Counts the connection of that loop until destruction; the increment was done by whoever chose
  // it.
  void counted_in(Loops& loops, std::size_t index) {
    loops_ = &loops;
    loop_index_ = index;
  }

  Task<Result<std::size_t>> read_some(std::span<char> into) override;
  Task<Result<>> write(std::span<const std::string_view> buffers) override;
  Result<std::size_t> try_write(std::span<const std::string_view> buffers) override;
  Result<std::size_t> try_read(std::span<char> into) override;
  Task<Result<>> send_file(int descriptor, std::uint64_t offset, std::uint64_t size) override;
  void set_deadline(MonoTime when) override;
  Task<Result<>> finish_writing() override;
  void close() override;
  net::Endpoint peer() const override;

 private:
  void on_deadline() override;
  void on_readable(std::uint32_t events) override;
  void on_writable() override;
  // What is there now; nothing when the socket is empty.
  std::optional<Result<std::size_t>> receive(std::span<char> into);
  Task<Result<>> wait_until_writable();
  // Waits for an event; also woken by the deadline, close() and the task's cancellation.
  template <class CancellationState>
  auto woken(Resumption& waiting, const CancellationState& state);
  Failure ended() const;

  int descriptor_;
  Resumption reader_;
  Resumption writer_;
  Loops* loops_ = nullptr;
  std::size_t loop_index_ = 0;
  bool may_read_ = true;  // unless the last read found the socket's end of data
  bool has_peer_finished_ = false;
  bool has_expired_ = false;
  bool is_closed_ = false;
};

// The network's failures in Weft's codes.
Error network_error(const boost::system::error_code& error);

}  // namespace weft
