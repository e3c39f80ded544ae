// Listening sockets: exclusive (no SO_REUSEPORT), restartable (SO_REUSEADDR), both address
// families.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "base/result.h"
#include "runtime/net.h"

namespace weft {

using TcpSocket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
using TcpAcceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;

// "" and "*" mean every address of both families.
Result<TcpAcceptor> bind_exclusively(IoContext& loop, const net::Endpoint& local);
net::Endpoint local_of(const TcpAcceptor& acceptor);

class SocketListener final : public net::Listener {
 public:
  SocketListener(IoContext& loop, TcpAcceptor acceptor);
  Task<Result<std::unique_ptr<net::Stream>>> accept() override;
  net::Endpoint local() const override { return local_; }
  void close() override;

 private:
  IoContext& loop_;
  TcpAcceptor acceptor_;
  net::Endpoint local_;
};

}  // namespace weft
