// A net::Stream over a non-blocking TCP socket of one loop.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "runtime/edge/deadline_tick.h"
#include "runtime/edge/resumption.h"
#include "runtime/loops.h"
#include "runtime/net.h"

namespace weft {

class SocketStream final : public net::Stream, private Deadline {
 public:
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

  SocketStream(IoContext& loop, Socket socket);
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
  Task<Result<>> wait_until_writable();
  // Why an operation ended early.
  Failure failure(const boost::system::error_code& error) const;

  struct ReadDone;

  Socket socket_;
  Resumption reader_;
  boost::system::error_code read_error_;
  std::size_t read_count_ = 0;
  Loops* loops_ = nullptr;
  std::size_t loop_index_ = 0;
  bool has_expired_ = false;
  bool is_closed_ = false;
};

// The network's failures in Weft's codes.
Error network_error(const boost::system::error_code& error);

}  // namespace weft
