#include "http/edge/server_connection.h"

#include <exception>

#include "http/edge/raw_stream.h"
#include "runtime/log.h"
#include "runtime/random.h"
#include "runtime/spans.h"

namespace weft::http {

namespace {

constexpr std::size_t kFirstBuffer = 4 * 1024;
constexpr std::size_t kBodyBuffer = 16 * 1024;
constexpr std::size_t kLargeBodyBuffer = 64 * 1024;
// What a closing connection still reads, so that the peer gets the response and not a reset.
constexpr std::size_t kLingerBytesMax = 1024 * 1024;
constexpr auto kLingerTime = std::chrono::seconds(2);
// The least average rate of a body, against peers that send a byte now and then.
constexpr std::uint64_t kBodyBytesPerSecond = 240;

std::string trace_id_of(const RequestHead& head) {
  auto sent = head.find("traceparent");
  auto context = sent ? TraceContext::parse(*sent) : std::nullopt;
  if (context) return context->trace_id_hex();
  SystemRandom random;
  return TraceContext::start(random).trace_id_hex();
}

std::string_view code_of(int status) {
  switch (status) {
    case 408:
      return "REQUEST_TIMEOUT";
    case 413:
      return "BODY_TOO_LARGE";
    case 414:
      return "URI_TOO_LONG";
    case 417:
      return "EXPECTATION_FAILED";
    case 431:
      return "HEAD_TOO_LARGE";
    case 500:
      return "INTERNAL";
    case 501:
      return "NOT_IMPLEMENTED";
    case 505:
      return "HTTP_VERSION";
    default:
      return "BAD_REQUEST";
  }
}

}  // namespace

ServerConnection::ServerConnection(std::unique_ptr<net::Stream> stream, ServerContext& server,
                                   std::size_t loop_index)
    : stream_(std::move(stream)),
      server_(server),
      limits_(server.options.limits),
      loop_index_(loop_index),
      peer_(stream_->peer()),
      in_(kFirstBuffer),
      parser_(HeadLimits{limits_.head_bytes_max, limits_.fields_max}) {}

ServerConnection::~ServerConnection() = default;

std::span<char> ServerConnection::room() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == in_.size() && begin_ > 0) {
    std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == in_.size()) in_.resize(in_.size() * 2);
  return {in_.data() + end_, in_.size() - end_};
}

Task<void> ServerConnection::run() {
  stream_->set_deadline(server_.clock.mono() + limits_.idle_timeout);
  bool has_head_deadline = false;
  for (;;) {
    auto step = begin_ == end_ ? HeadStep::Incomplete : parser_.parse(unread());
    if (step == HeadStep::Refused) {
      server_.refused_heads.add();
      co_return co_await refuse(parser_.fault().status, parser_.fault().reason);
    }
    if (step == HeadStep::Incomplete) {
      is_idle_ = begin_ == end_;
      if (is_idle_ && server_.is_draining.load(std::memory_order_relaxed)) co_return;
      if (!is_idle_ && !std::exchange(has_head_deadline, true)) {
        stream_->set_deadline(server_.clock.mono() + limits_.head_timeout);
      }
      auto count = co_await stream_->read_some(room());
      if (!count) co_return co_await answer_read_failure(std::move(count).error());
      if (*count == 0) co_return;
      is_idle_ = false;
      end_ += *count;
      continue;
    }
    has_head_deadline = false;
    begin_exchange();
    if (parser_.head().framing == BodyFraming::Length &&
        parser_.head().content_length > limits_.body_bytes_max) {
      co_return co_await refuse(413, "the body is longer than this server takes");
    }
    bool has_thrown = false;
    try {
      co_await server_.handler.handle(*this);
    } catch (const std::exception& caught) {
      has_thrown = true;
      log_error("http", "an exception escaped a handler: our bug",
                {{"server", server_.options.name}, {"exception", caught.what()}});
    }
    if (has_thrown) server_.handler_failures.add();
    bool is_settled = response_ == ResponseState::Finished && out_.empty() && keep_alive_ &&
                      body_.is_done() && !raw_stream_;
    if (!is_settled && !co_await settle_exchange()) co_return;
    keep_unread();
    parser_.reset();
    stream_->set_deadline(server_.clock.mono() + limits_.idle_timeout);
  }
}

void ServerConnection::begin_exchange() {
  const auto& head = parser_.head();
  server_.requests.add();
  received_at_ = server_.clock.mono();
  raw_ = unread().substr(parser_.size());
  body_.start(head.framing, head.content_length);
  body_bytes_ = 0;
  whole_view_.reset();
  continue_is_due_ = head.expects_continue;
  is_body_cut_ = false;
  response_ = ResponseState::None;
  keep_alive_ = head.keep_alive;
}

// What is left of the connection's bytes is the beginning of the next request.
void ServerConnection::keep_unread() {
  auto rest = raw_;
  raw_ = {};
  if (rest.empty()) {
    begin_ = end_ = 0;
  } else if (rest.data() >= in_.data() && rest.data() < in_.data() + in_.size()) {
    begin_ = static_cast<std::size_t>(rest.data() - in_.data());
  } else {
    if (in_.size() < rest.size()) in_.resize(rest.size());
    std::memcpy(in_.data(), rest.data(), rest.size());
    begin_ = 0;
    end_ = rest.size();
  }
  if (body_in_.capacity() > 0) std::vector<char>().swap(body_in_);
  if (whole_.capacity() > kBodyBuffer) std::string().swap(whole_);
}

// True when the connection can take the next request.
Task<bool> ServerConnection::settle_exchange() {
  if (raw_stream_) co_return false;
  if (response_ == ResponseState::None) {
    int status = is_body_cut_ ? 400 : 500;
    auto why =
        is_body_cut_ ? "the connection ended inside the body" : "the request was not answered";
    auto answer = problem(status, code_of(status), why, trace_id_of(head()));
    (void)co_await respond(answer);
  }
  if (response_ != ResponseState::Finished) co_return false;
  if (!out_.empty() && !co_await flush()) co_return false;
  if (!keep_alive_) {
    co_await linger();
    co_return false;
  }
  while (!body_.is_done()) {
    auto piece = co_await read_some();
    if (!piece || body_bytes_ > kSkipBytesMax) co_return false;
  }
  co_return true;
}

Task<void> ServerConnection::linger() {
  if (body_.is_done() && raw_.empty()) co_return;
  stream_->set_deadline(server_.clock.mono() + kLingerTime);
  if (!co_await stream_->finish_writing()) co_return;
  body_in_.resize(kBodyBuffer);
  for (std::size_t total = 0; total < kLingerBytesMax;) {
    auto count = co_await stream_->read_some(body_in_);
    if (!count || *count == 0) co_return;
    total += *count;
  }
}

Task<void> ServerConnection::answer_read_failure(Error error) {
  if (error.code != ErrorCode::DeadlineExceeded || begin_ == end_) co_return;
  server_.timeouts.add();
  co_await refuse(408, "the head of the request took too long");
}

Task<void> ServerConnection::refuse(int status, std::string_view reason) {
  keep_alive_ = false;
  response_ = ResponseState::None;
  // Where the refused request ends is unknown: everything that follows is dropped.
  body_.start(BodyFraming::UntilClose, 0);
  auto answer = problem(status, code_of(status), reason, trace_id_of(RequestHead()));
  if (co_await respond(answer)) co_await linger();
}

void ServerConnection::close_when_idle() {
  if (is_idle_) stream_->close();
}

net::Stream& ServerConnection::stream() {
  if (!raw_stream_) {
    stream_->set_deadline(MonoTime::max());
    raw_stream_ = std::make_unique<RawStream>(*stream_, raw_);
  }
  return *raw_stream_;
}

Result<std::string_view> ServerConnection::next_piece() {
  while (!body_.is_done() && !raw_.empty()) {
    auto step = body_.step(raw_);
    raw_.remove_prefix(step.consumed);
    if (body_.has_failed()) {
      keep_alive_ = false;
      return fail(ErrorCode::InvalidArgument, "{}", body_.reason());
    }
    body_bytes_ += step.piece.size();
    if (body_bytes_ > limits_.body_bytes_max) {
      keep_alive_ = false;
      return fail(ErrorCode::ResourceExhausted, "the body is longer than this server takes");
    }
    if (!step.piece.empty()) return step.piece;
  }
  return std::string_view();
}

Task<Result<std::string_view>> ServerConnection::read_some() {
  for (;;) {
    CO_TRY(auto piece, next_piece());
    if (!piece.empty() || body_.is_done()) co_return piece;
    CO_CHECK(co_await fill_body());
  }
}

Task<Result<>> ServerConnection::fill_body() {
  if (std::exchange(continue_is_due_, false)) CO_CHECK(co_await send_continue());
  auto wanted = body_.left() > kLargeBodyBuffer ? kLargeBodyBuffer : kBodyBuffer;
  if (body_in_.empty()) {
    body_in_.resize(wanted);
    body_started_ = server_.clock.mono();
  }
  auto now = server_.clock.mono();
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - body_started_);
  bool is_too_slow =
      now - body_started_ > limits_.body_timeout &&
      body_bytes_ < kBodyBytesPerSecond * static_cast<std::uint64_t>(seconds.count());
  stream_->set_deadline(now + limits_.body_timeout);
  Result<std::size_t> count = fail(ErrorCode::DeadlineExceeded, "the body comes too slowly");
  if (!is_too_slow) count = co_await stream_->read_some(body_in_);
  if (!count || *count == 0) {
    keep_alive_ = false;
    if (!count && count.error().code == ErrorCode::DeadlineExceeded) server_.timeouts.add();
    if (!count) co_return std::unexpected(std::move(count).error());
    is_body_cut_ = true;
    co_return fail(ErrorCode::Unavailable, "the connection ended inside the body");
  }
  raw_ = std::string_view(body_in_.data(), *count);
  co_return Result<>();
}

Task<Result<>> ServerConnection::send_continue() {
  // Once the peer sends without being asked, the word is superfluous.
  if (body_bytes_ > 0 || response_ != ResponseState::None) co_return Result<>();
  std::array<std::string_view, 1> word{"HTTP/1.1 100 Continue\r\n\r\n"};
  co_return co_await send(word);
}

Task<Result<std::string_view>> ServerConnection::read_body(std::uint64_t bytes_max) {
  if (whole_view_) co_return *whole_view_;
  const auto& request = head();
  if (request.framing == BodyFraming::Length && request.content_length > bytes_max) {
    co_return fail(ErrorCode::ResourceExhausted, "the body has {} bytes, {} are taken",
                   request.content_length, bytes_max);
  }
  CO_TRY(auto first, co_await read_some());
  if (body_.is_done()) {
    whole_view_ = first;
    co_return first;
  }
  whole_ = first;
  while (!body_.is_done()) {
    CO_TRY(auto piece, co_await read_some());
    if (whole_.size() + piece.size() > bytes_max) {
      co_return fail(ErrorCode::ResourceExhausted, "the body is longer than {} bytes", bytes_max);
    }
    whole_ += piece;
  }
  whole_view_ = whole_;
  co_return *whole_view_;
}

std::optional<std::string_view> ServerConnection::try_read_body() {
  if (whole_view_) return whole_view_;
  if (body_bytes_ > 0) return {};
  if (body_.framing() == BodyFraming::Length && raw_.size() >= body_.left()) {
    auto piece = next_piece();
    if (piece) whole_view_ = *piece;
  } else if (body_.framing() == BodyFraming::None) {
    whole_view_ = std::string_view();
  }
  return whole_view_;
}

// A chunked body that came with the head is looked through, so that its end is known.
void ServerConnection::skip_buffered_body() {
  while (!body_.is_done() && !raw_.empty()) {
    if (!next_piece()) return;
  }
}

}  // namespace weft::http
