// The writing half of ServerConnection.
#include <array>

#include "http/characters.h"
#include "http/edge/date.h"
#include "http/edge/raw_stream.h"
#include "http/edge/server_connection.h"
#include "http/head_writer.h"

namespace weft::http {

namespace {

// A write is given its time anew for each slice, so that a slow peer that reads is not cut off.
constexpr std::size_t kSlice = 256 * 1024;
constexpr std::size_t kCopyBodyMax = 4 * 1024;
// Heads and small bodies kept from exchange to exchange.
constexpr std::size_t kOutBufferKept = 64 * 1024;

// These describe the connection, which is the server's business.
bool is_written_by_server(std::string_view name) {
  switch (name.size()) {
    case 10:
      return equals_lower(name, "connection") || equals_lower(name, "keep-alive");
    case 14:
      return equals_lower(name, "content-length");
    case 17:
      return equals_lower(name, "transfer-encoding");
    default:
      return false;
  }
}

std::optional<std::uint64_t> declared_length(std::span<const Field> fields) {
  for (const auto& field : fields) {
    if (field.name.size() != 14 || !equals_lower(field.name, "content-length")) continue;
    std::uint64_t length = 0;
    auto end = field.value.data() + field.value.size();
    auto [at, error] = std::from_chars(field.value.data(), end, length);
    if (error == std::errc() && at == end) return length;
  }
  return {};
}

}  // namespace

Failure ServerConnection::broken(Failure failure) {
  response_ = ResponseState::Broken;
  keep_alive_ = false;
  return failure;
}

bool ServerConnection::may_keep_alive() {
  if (!keep_alive_ || server_.is_draining.load(std::memory_order_relaxed)) return false;
  if (body_.is_done()) return true;
  if (body_.framing() == BodyFraming::Chunked) skip_buffered_body();
  if (body_.is_done()) return keep_alive_;
  // Whether a peer that was not told to continue will send its body is unknown.
  return body_.framing() == BodyFraming::Length && body_.left() <= kSkipBytesMax &&
         !continue_is_due_;
}

void ServerConnection::append_head(int status, std::span<const Field> fields,
                                   std::optional<std::uint64_t> length) {
  const auto& request = head();
  response_ = ResponseState::Started;
  keep_alive_ = may_keep_alive();
  has_no_body_ = request.method == "HEAD" || status < 200 || status == 204 || status == 304;
  bool states_length = status >= 200 && status != 204;
  is_chunked_ = !length && !has_no_body_ && request.version_minor == 1;
  if (!length && !has_no_body_ && !is_chunked_) keep_alive_ = false;
  length_is_known_ = length.has_value();
  length_left_ = has_no_body_ ? 0 : length.value_or(0);

  append_status_line(out_, status);
  bool has_date = false;
  for (const auto& field : fields) {
    if (is_written_by_server(field.name)) continue;
    if (field.name.size() == 4 && equals_lower(field.name, "date")) has_date = true;
    append_field(out_, field.name, field.value);
  }
  if (!has_date) append_field(out_, "Date", http_date(server_.clock.now()));
  if (length && states_length) append_field(out_, "Content-Length", *length);
  if (is_chunked_) out_ += "Transfer-Encoding: chunked\r\n";
  if (status == 101) {
    out_ += "Connection: Upgrade\r\n";
  } else if (!keep_alive_) {
    out_ += "Connection: close\r\n";
  } else if (request.version_minor == 0) {
    out_ += "Connection: keep-alive\r\n";
  }
  out_ += "\r\n";
}

bool ServerConnection::respond_now(int status, std::span<const Field> fields,
                                   std::string_view body) {
  if (response_ != ResponseState::None) return false;
  auto length = declared_length(fields);
  bool answers_head = body.empty() && head().method == "HEAD";
  append_head(status, fields, answers_head && length ? *length : body.size());
  response_ = ResponseState::Finished;
  if (has_no_body_) body = {};
  // Copying some bytes is cheaper than gathering two buffers in the kernel.
  if (body.size() <= kCopyBodyMax) {
    out_ += body;
    body = {};
  }
  std::array<std::string_view, 2> parts{out_, body};
  auto sent = stream_->try_write(parts);
  if (!sent) {
    (void)broken(Failure(std::move(sent).error()));
    return false;
  }
  if (*sent == out_.size() && body.empty()) {
    out_.clear();
  } else if (*sent < parts[0].size()) {
    out_.erase(0, *sent);
    out_ += parts[1];
  } else {
    out_.assign(parts[1].substr(*sent - parts[0].size()));
  }
  return true;
}

Task<Result<>> ServerConnection::respond(const Response& response) {
  if (response_ != ResponseState::None) {
    co_return fail(ErrorCode::FailedPrecondition, "the exchange has a response already");
  }
  std::vector<Field> fields;
  fields.reserve(response.fields.size());
  for (const auto& [name, value] : response.fields) fields.push_back(Field{name, value});
  append_head(response.status, fields, response.body.size());
  std::array<std::string_view, 1> parts{has_no_body_ ? std::string_view() : response.body};
  CO_CHECK(co_await send(parts));
  response_ = ResponseState::Finished;
  co_return Result<>();
}

Task<Result<>> ServerConnection::start(int status, std::span<const Field> fields) {
  if (response_ != ResponseState::None) {
    co_return fail(ErrorCode::FailedPrecondition, "the exchange has a response already");
  }
  // Sent with the first piece of the body, so that both travel in one packet.
  append_head(status, fields, declared_length(fields));
  if (status != 101) co_return Result<>();
  response_ = ResponseState::Finished;
  co_return co_await flush();
}

Task<Result<>> ServerConnection::write(std::string_view piece) {
  if (response_ != ResponseState::Started) {
    co_return fail(ErrorCode::FailedPrecondition, "no response is being written");
  }
  if (has_no_body_) co_return Result<>();
  // An empty piece means: send now what is there, such as the head of an event stream.
  if (piece.empty()) co_return co_await flush();
  if (length_is_known_) {
    if (piece.size() > length_left_) {
      co_return broken(fail(ErrorCode::Internal, "the body is longer than its Content-Length"));
    }
    length_left_ -= piece.size();
    std::array<std::string_view, 1> parts{piece};
    co_return co_await send(parts);
  }
  if (is_chunked_) append_chunk_size(out_, piece.size());
  std::array<std::string_view, 2> parts{piece, is_chunked_ ? "\r\n" : ""};
  co_return co_await send(parts);
}

Task<Result<>> ServerConnection::finish() {
  if (response_ != ResponseState::Started) {
    co_return fail(ErrorCode::FailedPrecondition, "no response is being written");
  }
  if (length_left_ > 0) {
    co_return broken(fail(ErrorCode::Internal, "the body is shorter than its Content-Length"));
  }
  if (is_chunked_) out_ += "0\r\n\r\n";
  CO_CHECK(co_await flush());
  response_ = ResponseState::Finished;
  co_return Result<>();
}

Task<Result<>> ServerConnection::flush() {
  if (out_.empty()) co_return Result<>();
  std::span<const std::string_view> nothing_more;
  co_return co_await send(nothing_more);
}

// Sends what waits in out_, then the parts.
Task<Result<>> ServerConnection::send(std::span<const std::string_view> parts) {
  std::array<std::string_view, 4> rest{out_};
  std::copy(parts.begin(), parts.end(), rest.begin() + 1);
  std::size_t total = 0;
  for (auto part : rest) total += part.size();
  auto sent = stream_->try_write(rest);
  if (!sent) co_return broken(Failure(std::move(sent).error()));
  auto skip = *sent;
  if (skip == total) {
    out_.clear();
    co_return Result<>();
  }
  for (auto part : rest) {
    auto step = std::min(skip, part.size());
    part.remove_prefix(step);
    skip -= step;
    while (!part.empty()) {
      std::array<std::string_view, 1> slice{part.substr(0, kSlice)};
      stream_->set_deadline(server_.clock.mono() + limits_.write_timeout);
      auto written = co_await stream_->write(slice);
      if (!written) {
        if (written.error().code == ErrorCode::DeadlineExceeded) server_.timeouts.add();
        co_return broken(Failure(std::move(written).error()));
      }
      part.remove_prefix(slice[0].size());
    }
  }
  out_.clear();
  if (out_.capacity() > kOutBufferKept) out_.shrink_to_fit();
  co_return Result<>();
}

}  // namespace weft::http
