#include "runtime/socket_network.h"

#include <netdb.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include "runtime/edge/socket_listener.h"
#include "runtime/edge/socket_stream.h"
#include "runtime/suspension.h"

namespace weft {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t kLookupThreads = 2;
constexpr std::size_t kLookupsMax = 256;

using Addresses = std::vector<std::string>;

// A lookup cannot be interrupted: who waited may be gone when it ends, so both share this.
struct Lookup final : Deadline {
  explicit Lookup(IoContext& loop) : Deadline(loop) {}
  void on_deadline() override {
    has_expired = true;
    ended.wake();
  }
  Suspension ended;
  std::optional<Result<Addresses>> outcome;
  bool has_expired = false;
};

// Ends a connect at its deadline.
struct ConnectLimit final : Deadline {
  ConnectLimit(IoContext& loop, TcpSocket& target, MonoTime when) : Deadline(loop), socket(target) {
    set_deadline_at(when);
  }
  void on_deadline() override {
    has_expired = true;
    error_code ignored;
    socket.cancel(ignored);
  }
  TcpSocket& socket;
  bool has_expired = false;
};

Result<Addresses> look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (code == EAI_NONAME) return fail(ErrorCode::NotFound, "no address for {}", host);
  if (code != 0) return fail(ErrorCode::Unavailable, "resolve {}: {}", host, ::gai_strerror(code));
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  Addresses addresses;
  for (auto* at = found; at != nullptr; at = at->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) !=
        0) {
      continue;
    }
    if (std::find(addresses.begin(), addresses.end(), text) == addresses.end()) {
      addresses.emplace_back(text);
    }
  }
  return addresses;
}

}  // namespace

SocketNetwork::SocketNetwork() : lookups_("resolver", kLookupThreads, kLookupsMax) {}
SocketNetwork::~SocketNetwork() = default;

Task<Result<std::unique_ptr<net::Stream>>> SocketNetwork::connect(net::Endpoint resolved,
                                                                  MonoTime deadline) {
  auto executor = co_await asio::this_coro::executor;
  auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    co_return fail(ErrorCode::Cancelled, "the task was cancelled");
  }
  error_code error;
  auto address = asio::ip::make_address(resolved.host, error);
  if (error) co_return fail(ErrorCode::InvalidArgument, "{} is not an address", resolved.host);
  TcpSocket socket(executor);
  tcp::endpoint endpoint(address, resolved.port);
  ConnectLimit limit(executor.context(), socket, deadline);
  auto [failed] = co_await socket.async_connect(endpoint, asio::as_tuple(asio::deferred));
  if (failed && limit.has_expired) {
    co_return fail(ErrorCode::DeadlineExceeded, "connect to {}: no answer in time",
                   resolved.text());
  }
  if (failed) {
    co_return std::unexpected(
        network_error(failed).within(fmt::format("connect to {}", resolved.text())));
  }
  std::unique_ptr<net::Stream> stream =
      std::make_unique<SocketStream>(executor.context(), socket.release());
  co_return stream;
}

Task<Result<std::unique_ptr<net::Listener>>> SocketNetwork::listen(net::Endpoint local) {
  auto executor = co_await asio::this_coro::executor;
  CO_TRY(auto acceptor, bind_exclusively(executor.context(), local));
  std::unique_ptr<net::Listener> listener =
      std::make_unique<SocketListener>(executor.context(), std::move(acceptor));
  co_return listener;
}

Task<Result<std::vector<std::string>>> SocketNetwork::resolve(std::string host, MonoTime deadline) {
  error_code not_literal;
  auto literal = asio::ip::make_address(host, not_literal);
  if (!not_literal) co_return Addresses{literal.to_string()};
  auto executor = co_await asio::this_coro::executor;
  auto lookup = std::make_shared<Lookup>(executor.context());
  lookup->set_deadline_at(deadline);
  auto deliver = [executor, lookup, host]() mutable {
    // Moved, so that the last owner dies on the loop that the lookup belongs to.
    auto deliver_here = [lookup = std::move(lookup), outcome = look_up(host)]() mutable {
      lookup->outcome = std::move(outcome);
      lookup->ended.wake();
    };
    asio::post(executor, std::move(deliver_here));
  };
  auto submitted = lookups_.submit(std::move(deliver));
  if (!submitted) co_return std::unexpected(std::move(submitted).error());
  while (!lookup->outcome && !lookup->has_expired) CO_CHECK(co_await lookup->ended.wait());
  if (lookup->outcome) co_return std::move(*lookup->outcome);
  co_return fail(ErrorCode::DeadlineExceeded, "resolve {}: no answer in time", host);
}

}  // namespace weft
