#include "runtime/edge/socket_listener.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <utility>

#include "runtime/edge/socket_stream.h"
#include "runtime/log.h"
#include "runtime/socket_network.h"

namespace weft {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr int kBacklog = 4096;
// Out of descriptors: pending connections stay in the kernel's queue for this long.
constexpr auto kExhaustedPause = std::chrono::milliseconds(50);

}  // namespace

Result<TcpAcceptor> bind_exclusively(IoContext& loop, const net::Endpoint& local) {
  error_code error;
  auto host = local.host.empty() || local.host == "*" ? std::string("::") : local.host;
  if (host == "localhost") host = "127.0.0.1";
  auto address = asio::ip::make_address(host, error);
  if (error) return fail(ErrorCode::InvalidArgument, "{} is not an address to listen on", host);
  TcpAcceptor acceptor(loop.get_executor());
  tcp::endpoint endpoint(address, local.port);
  acceptor.open(endpoint.protocol(), error);
  if (error && address.is_v6() && address.is_unspecified()) {
    // A host without IPv6: every address means every IPv4 address.
    endpoint = tcp::endpoint(asio::ip::address_v4::any(), local.port);
    acceptor.open(endpoint.protocol(), error);
  }
  auto fail_here = [&](const error_code& why) {
    return std::unexpected(network_error(why).within(fmt::format("listen on {}", local.text())));
  };
  if (error) return fail_here(error);
  // Lets a restart bind while old connections linger. Not SO_REUSEPORT: two processes would share
  // it.
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (endpoint.protocol() == tcp::v6()) acceptor.set_option(asio::ip::v6_only(false), error);
  if (acceptor.bind(endpoint, error)) return fail_here(error);
  if (acceptor.listen(kBacklog, error)) return fail_here(error);
  acceptor.non_blocking(true, error);
  return acceptor;
}

net::Endpoint local_of(const TcpAcceptor& acceptor) {
  error_code error;
  auto endpoint = acceptor.local_endpoint(error);
  return {endpoint.address().to_string(), endpoint.port()};
}

SocketListener::SocketListener(IoContext& loop, TcpAcceptor acceptor)
    : loop_(loop), acceptor_(std::move(acceptor)), local_(local_of(acceptor_)) {}

Task<Result<std::unique_ptr<net::Stream>>> SocketListener::accept() {
  auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none || !acceptor_.is_open()) {
    co_return fail(ErrorCode::Cancelled, "the listener was closed");
  }
  TcpSocket socket(acceptor_.get_executor());
  auto [error] = co_await acceptor_.async_accept(socket, asio::as_tuple(asio::deferred));
  if (error) co_return std::unexpected(network_error(error));
  std::unique_ptr<net::Stream> stream = std::make_unique<SocketStream>(loop_, socket.release());
  co_return stream;
}

void SocketListener::close() {
  error_code ignored;
  acceptor_.close(ignored);
}

struct SpreadListener::State : std::enable_shared_from_this<SpreadListener::State> {
  State(Loops& all, TcpAcceptor listening)
      : loops(all),
        acceptor(std::move(listening)),
        pause(acceptor.get_executor()),
        local(local_of(acceptor)) {}

  void wait() {
    acceptor.async_wait(tcp::acceptor::wait_read, [self = shared_from_this()](error_code error) {
      if (!error) self->accept_all();
    });
  }

  void accept_all() {
    for (;;) {
      int descriptor =
          ::accept4(acceptor.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor >= 0) {
        hand_over(descriptor);
        continue;
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) return wait();
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        return wait_for_descriptors();
      }
      // Anything else (ECONNABORTED, a network error of the one connection) concerns that peer
      // alone.
      if (!acceptor.is_open()) return;
    }
  }

  void wait_for_descriptors() {
    log_warn("runtime", "out of descriptors, accepting is paused", {{"listener", local.text()}});
    pause.expires_after(kExhaustedPause);
    pause.async_wait([self = shared_from_this()](error_code error) {
      if (!error && self->acceptor.is_open()) self->accept_all();
    });
  }

  void hand_over(int descriptor) {
    auto index = loops.least_loaded();
    loops.count_connection(index, 1);
    auto deliver = [self = shared_from_this(), descriptor, index] {
      auto& loop = self->loops.at(index).context();
      auto stream = std::make_unique<SocketStream>(loop, descriptor);
      stream->counted_in(self->loops, index);
      self->on_connection(std::move(stream), index);
    };
    if (loops.current() == index) {
      deliver();
    } else {
      asio::post(loops.at(index), std::move(deliver));
    }
  }

  Loops& loops;
  TcpAcceptor acceptor;
  asio::basic_waitable_timer<std::chrono::steady_clock,
                             asio::wait_traits<std::chrono::steady_clock>, Executor>
      pause;
  net::Endpoint local;
  OnConnection on_connection;
};

SpreadListener::SpreadListener(std::shared_ptr<State> state) : state_(std::move(state)) {}
SpreadListener::~SpreadListener() = default;

Result<std::unique_ptr<SpreadListener>> SpreadListener::bind(net::Endpoint local, Loops& loops) {
  auto& loop = loops.at(0).context();
  TRY(auto acceptor, bind_exclusively(loop, local));
  auto state = std::make_shared<State>(loops, std::move(acceptor));
  return std::unique_ptr<SpreadListener>(new SpreadListener(std::move(state)));
}

net::Endpoint SpreadListener::local() const {
  return state_->local;
}

void SpreadListener::start(OnConnection on_connection) {
  state_->on_connection = std::move(on_connection);
  asio::post(state_->acceptor.get_executor(), [state = state_] { state->wait(); });
}

void SpreadListener::stop() {
  asio::post(state_->acceptor.get_executor(), [state = state_] {
    error_code ignored;
    state->acceptor.close(ignored);
    state->pause.cancel();
  });
}

}  // namespace weft
