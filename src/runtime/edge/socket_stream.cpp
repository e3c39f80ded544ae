#include "runtime/edge/socket_stream.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <cerrno>

#include "runtime/log.h"
#include "runtime/on_loop.h"

namespace weft {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t kBuffersMax = 16;
// sendfile(2) moves at most this much per call, so that one file does not hold the loop: others
// have their turn between two calls.
constexpr std::size_t kFileChunk = 256 * 1024;

error_code last_error() {
  return {errno, boost::system::system_category()};
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

struct Vector {
  explicit Vector(std::span<const std::string_view> buffers) {
    for (auto buffer : buffers.first(std::min(buffers.size(), kBuffersMax))) {
      if (buffer.empty()) continue;
      parts[count++] = {const_cast<char*>(buffer.data()), buffer.size()};
      total += buffer.size();
    }
  }

  void consume(std::size_t sent) {
    total -= sent;
    while (sent > 0) {
      auto& part = parts[first];
      auto step = std::min(sent, part.iov_len);
      part.iov_base = static_cast<char*>(part.iov_base) + step;
      part.iov_len -= step;
      sent -= step;
      if (part.iov_len == 0) ++first;
    }
  }

  ssize_t send(int socket) {
    if (count - first == 1) {
      return ::send(socket, parts[first].iov_base, parts[first].iov_len, MSG_NOSIGNAL);
    }
    msghdr message{};
    message.msg_iov = &parts[first];
    message.msg_iovlen = count - first;
    return ::sendmsg(socket, &message, MSG_NOSIGNAL);
  }

  std::array<iovec, kBuffersMax> parts;
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t total = 0;
};

}  // namespace

Error network_error(const error_code& error) {
  auto code = ErrorCode::IoError;
  switch (error.value()) {
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENOTCONN:
      code = ErrorCode::Unavailable;
      break;
    case ETIMEDOUT:
      code = ErrorCode::DeadlineExceeded;
      break;
    case EADDRINUSE:
      code = ErrorCode::AlreadyExists;
      break;
    case EACCES:
    case EPERM:
      code = ErrorCode::PermissionDenied;
      break;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      code = ErrorCode::ResourceExhausted;
      break;
    case ECANCELED:
      code = ErrorCode::Cancelled;
      break;
    default:
      break;
  }
  return {code, error.message()};
}

SocketStream::SocketStream(IoContext& loop, int descriptor)
    : Deadline(loop), Watched(loop, descriptor), descriptor_(descriptor) {
  int yes = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  ::fcntl(descriptor_, F_SETFL, ::fcntl(descriptor_, F_GETFL) | O_NONBLOCK);
  if (is_registered()) return;
  log_error("runtime", "the kernel refuses to watch a connection; it is closed", {});
  close();
}

SocketStream::~SocketStream() {
  if (!is_closed_) ::close(descriptor_);
  if (loops_ != nullptr) loops_->count_connection(loop_index_, -1);
}

Failure SocketStream::ended() const {
  if (is_closed_) return fail(ErrorCode::Cancelled, "the stream was closed");
  if (has_expired_) return fail(ErrorCode::DeadlineExceeded, "the peer took too long");
  return Failure(network_error(asio::error::operation_aborted));
}

void SocketStream::on_readable(std::uint32_t events) {
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) has_peer_finished_ = true;
  if (events != 0) may_read_ = true;
  reader_.resume();
}

void SocketStream::on_writable() {
  writer_.resume();
}

// Runs when a waiting task is cancelled: it is to look again.
template <class CancellationState>
auto SocketStream::woken(Resumption& waiting, const CancellationState& state) {
  if (auto slot = state.slot(); slot.is_connected()) {
    slot.assign([this](asio::cancellation_type) { wake_later(); });
  }
  return waiting.suspended();
}

std::optional<Result<std::size_t>> SocketStream::receive(std::span<char> into) {
  for (;;) {
    auto count = ::recv(descriptor_, into.data(), into.size(), 0);
    if (count >= 0) {
      auto size = static_cast<std::size_t>(count);
      if (size < into.size() && !has_peer_finished_) may_read_ = count == 0;
      return size;
    }
    if (errno == EINTR) continue;
    if (!would_block()) return Failure(network_error(last_error()));
    may_read_ = false;
    return std::nullopt;
  }
}

Task<Result<std::size_t>> SocketStream::read_some(std::span<char> into) {
  auto state = co_await asio::this_coro::cancellation_state;
  for (;;) {
    if (has_expired_ || is_closed_ || state.cancelled() != asio::cancellation_type::none) {
      co_return ended();
    }
    if (may_read_) {
      auto got = receive(into);
      if (got) co_return std::move(*got);
    }
    co_await woken(reader_, state);
  }
}

Result<std::size_t> SocketStream::try_read(std::span<char> into) {
  if (is_closed_) return ended();
  auto got = receive(into);
  if (!got) return fail(ErrorCode::Unavailable, "nothing yet");
  return std::move(*got);
}

Result<std::size_t> SocketStream::try_write(std::span<const std::string_view> buffers) {
  if (is_closed_) return ended();
  Vector vector(buffers);
  if (vector.total == 0) return std::size_t{0};
  for (;;) {
    auto sent = vector.send(descriptor_);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EINTR) continue;
    if (would_block()) return std::size_t{0};
    return Failure(network_error(last_error()));
  }
}

// After a write that the socket did not take: the kernel tells when there is room again.
Task<Result<>> SocketStream::wait_until_writable() {
  auto state = co_await asio::this_coro::cancellation_state;
  bool is_cancelled = state.cancelled() != asio::cancellation_type::none;
  if (!has_expired_ && !is_closed_ && !is_cancelled) {
    co_await woken(writer_, state);
    is_cancelled = state.cancelled() != asio::cancellation_type::none;
  }
  if (has_expired_ || is_closed_ || is_cancelled) co_return ended();
  co_return Result<>();
}

Task<Result<>> SocketStream::write(std::span<const std::string_view> buffers) {
  if (is_closed_) co_return ended();
  Vector vector(buffers);
  while (vector.total > 0) {
    auto sent = vector.send(descriptor_);
    if (sent >= 0) {
      vector.consume(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (!would_block()) co_return Failure(network_error(last_error()));
    CO_CHECK(co_await wait_until_writable());
    if (is_closed_) co_return ended();
  }
  co_return Result<>();
}

Task<Result<>> SocketStream::send_file(int descriptor, std::uint64_t offset, std::uint64_t size) {
  auto at = static_cast<off_t>(offset);
  while (size > 0) {
    if (is_closed_) co_return ended();
    auto step = static_cast<std::size_t>(std::min<std::uint64_t>(size, kFileChunk));
    auto sent = ::sendfile(descriptor_, descriptor, &at, step);
    if (sent > 0) {
      size -= static_cast<std::uint64_t>(sent);
      if (size > 0) co_await next_turn();
      continue;
    }
    if (sent == 0) co_return fail(ErrorCode::DataLoss, "the file ends {} bytes early", size);
    if (errno == EINTR) continue;
    if (!would_block()) co_return Failure(network_error(last_error()));
    CO_CHECK(co_await wait_until_writable());
  }
  co_return Result<>();
}

void SocketStream::set_deadline(MonoTime when) {
  has_expired_ = false;
  set_deadline_at(when);
}

void SocketStream::on_deadline() {
  has_expired_ = true;
  wake_later();
}

Task<Result<>> SocketStream::finish_writing() {
  if (is_closed_) co_return ended();
  if (::shutdown(descriptor_, SHUT_WR) != 0) co_return Failure(network_error(last_error()));
  co_return Result<>();
}

void SocketStream::close() {
  if (std::exchange(is_closed_, true)) return;
  ::close(descriptor_);
  wake_later();
}

net::Endpoint SocketStream::peer() const {
  asio::ip::tcp::endpoint endpoint;
  socklen_t size = static_cast<socklen_t>(endpoint.capacity());
  if (is_closed_ || ::getpeername(descriptor_, endpoint.data(), &size) != 0) return {};
  endpoint.resize(size);
  auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return {address.to_string(), endpoint.port()};
}

}  // namespace weft
