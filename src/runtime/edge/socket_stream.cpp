#include "runtime/edge/socket_stream.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <cerrno>

namespace weft {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t kBuffersMax = 16;
// sendfile(2) moves at most this much per call, so that one file does not hold the loop.
constexpr std::size_t kFileChunk = 1024 * 1024;

// Without a frame of its own, unlike use_awaitable.
constexpr auto kAwait = asio::as_tuple(asio::deferred);

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

SocketStream::SocketStream(IoContext& loop, Socket socket)
    : Deadline(loop), socket_(std::move(socket)) {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
}

SocketStream::~SocketStream() {
  if (loops_ != nullptr) loops_->count_connection(loop_index_, -1);
}

Failure SocketStream::failure(const error_code& error) const {
  if (is_closed_) return fail(ErrorCode::Cancelled, "the stream was closed");
  if (has_expired_) return fail(ErrorCode::DeadlineExceeded, "the peer took too long");
  return Failure(network_error(error));
}

// Cancelled through the waiting task's slot, like an operation that is awaited directly.
struct SocketStream::ReadDone {
  using cancellation_slot_type = asio::cancellation_slot;
  cancellation_slot_type get_cancellation_slot() const noexcept { return slot; }

  void operator()(const error_code& error, std::size_t count) const {
    stream->read_error_ = error;
    stream->read_count_ = count;
    stream->reader_.resume();
  }

  SocketStream* stream;
  asio::cancellation_slot slot;
};

Task<Result<std::size_t>> SocketStream::read_some(std::span<char> into) {
  auto state = co_await asio::this_coro::cancellation_state;
  if (has_expired_ || is_closed_ || state.cancelled() != asio::cancellation_type::none) {
    co_return failure(asio::error::operation_aborted);
  }
  ReadDone done{this, state.slot()};
  socket_.async_read_some(asio::buffer(into.data(), into.size()), done);
  co_await reader_.suspended();
  if (!read_error_) co_return read_count_;
  if (read_error_ == asio::error::eof) co_return std::size_t{0};
  co_return failure(read_error_);
}

Result<std::size_t> SocketStream::try_read(std::span<char> into) {
  if (is_closed_) return failure(asio::error::operation_aborted);
  for (;;) {
    auto count = ::recv(socket_.native_handle(), into.data(), into.size(), 0);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EINTR) continue;
    if (would_block()) return fail(ErrorCode::Unavailable, "nothing yet");
    return failure(last_error());
  }
}

Result<std::size_t> SocketStream::try_write(std::span<const std::string_view> buffers) {
  if (is_closed_) return failure(asio::error::operation_aborted);
  Vector vector(buffers);
  if (vector.total == 0) return std::size_t{0};
  for (;;) {
    auto sent = vector.send(socket_.native_handle());
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EINTR) continue;
    if (would_block()) return std::size_t{0};
    return failure(last_error());
  }
}

Task<Result<>> SocketStream::wait_until_writable() {
  auto state = co_await asio::this_coro::cancellation_state;
  if (has_expired_ || is_closed_ || state.cancelled() != asio::cancellation_type::none) {
    co_return failure(asio::error::operation_aborted);
  }
  auto [error] = co_await socket_.async_wait(Socket::wait_write, kAwait);
  if (error) co_return failure(error);
  co_return Result<>();
}

Task<Result<>> SocketStream::write(std::span<const std::string_view> buffers) {
  if (is_closed_) co_return failure(asio::error::operation_aborted);
  Vector vector(buffers);
  while (vector.total > 0) {
    auto sent = vector.send(socket_.native_handle());
    if (sent >= 0) {
      vector.consume(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (!would_block()) co_return failure(last_error());
    CO_CHECK(co_await wait_until_writable());
    if (is_closed_) co_return failure(asio::error::operation_aborted);
  }
  co_return Result<>();
}

Task<Result<>> SocketStream::send_file(int descriptor, std::uint64_t offset, std::uint64_t size) {
  auto at = static_cast<off_t>(offset);
  while (size > 0) {
    if (is_closed_) co_return failure(asio::error::operation_aborted);
    auto step = static_cast<std::size_t>(std::min<std::uint64_t>(size, kFileChunk));
    auto sent = ::sendfile(socket_.native_handle(), descriptor, &at, step);
    if (sent > 0) {
      size -= static_cast<std::uint64_t>(sent);
      continue;
    }
    if (sent == 0) co_return fail(ErrorCode::DataLoss, "the file ends {} bytes early", size);
    if (errno == EINTR) continue;
    if (!would_block()) co_return failure(last_error());
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
  error_code ignored;
  socket_.cancel(ignored);
}

Task<Result<>> SocketStream::finish_writing() {
  error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  if (error) co_return failure(error);
  co_return Result<>();
}

void SocketStream::close() {
  if (std::exchange(is_closed_, true)) return;
  error_code ignored;
  socket_.close(ignored);
}

net::Endpoint SocketStream::peer() const {
  error_code error;
  auto endpoint = socket_.remote_endpoint(error);
  if (error) return {};
  auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return {address.to_string(), endpoint.port()};
}

}  // namespace weft
