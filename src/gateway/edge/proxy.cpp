#include "gateway/proxy.h"

#include "gateway/core/forwarding.h"
#include "gateway/edge/tunnel.h"
#include "http/head_writer.h"
#include "http/kept_connection.h"

namespace weft::gateway {

struct Proxy::Attempt {
  http::Exchange& exchange;
  const UpstreamPool& pool;
  const RequestContext& context;
  std::optional<std::string_view> body;  // the whole of it, when it is there already
  UpstreamLease connection;
  ForwardResult result;
  bool is_client_at_fault = false;                      // the failure is the client's body
  std::size_t sent = 0;                                 // of head and body, by the first write
  Result<std::string_view> piece = std::string_view();  // the first one of the answer's body

  RequestBody body_kind() const {
    const auto& head = exchange.head();
    if (body) return body->empty() && !sends_length() ? RequestBody::None : RequestBody::Length;
    return head.framing == http::BodyFraming::Length ? RequestBody::Length : RequestBody::Chunked;
  }
  // POST and PUT state their length also when it is 0 (RFC 9110 section 8.6).
  bool sends_length() const {
    return exchange.head().framing == http::BodyFraming::Length ||
           exchange.head().method == "POST" || exchange.head().method == "PUT";
  }

  // Writes the head and a body that is at hand; true when all of it was taken.
  Result<bool> begin() {
    auto& to = *connection;
    const auto& options = pool.options();
    const auto& target = options.targets[to.target];
    ForwardedFor added;
    added.client = exchange.peer_address();
    added.proto = exchange.is_tls() ? "https" : "http";
    added.host = options.preserve_host ? exchange.head().host : pool.authority(to.target);
    added.base_path = target.base_path;
    added.trace = &context.trace;
    to.out.clear();
    append_request_head(to.out, exchange.head(), added, body_kind());
    to.reader.expect(exchange.head().method == "HEAD");
    result.target = pool.authority(to.target);
    result.is_reused = to.is_reused;
    std::array<std::string_view, 2> parts{to.out, body.value_or(std::string_view())};
    TRY(sent, to.stream->try_write(parts));
    return body.has_value() && sent == parts[0].size() + parts[1].size();
  }
};

namespace {

constexpr std::size_t kRespondNowMax = 32 * 1024;

struct Verdict {
  int status;
  std::string_view code;
  std::string_view message;
};

// A failure of the upstream as the client is told of it.
Verdict verdict_on_upstream(const Error& error, bool is_connected) {
  if (error.code == ErrorCode::DeadlineExceeded) {
    return {504, "UPSTREAM_TIMEOUT", "the upstream did not answer in time"};
  }
  if (is_connected) return {502, "UPSTREAM_FAILED", "the upstream's answer was malformed or cut"};
  if (error.code == ErrorCode::PermissionDenied) {
    return {502, "UPSTREAM_FORBIDDEN", "the upstream may not be connected to"};
  }
  return {503, "UPSTREAM_UNAVAILABLE", "the upstream cannot be reached"};
}

// A failure of the client's body; status 499: nobody is left to answer.
Verdict verdict_on_client(const Error& error) {
  switch (error.code) {
    case ErrorCode::InvalidArgument:
      return {400, "BAD_BODY", "the body is malformed"};
    case ErrorCode::ResourceExhausted:
      return {413, "BODY_TOO_LARGE", "the body is too long"};
    case ErrorCode::DeadlineExceeded:
      return {408, "REQUEST_TIMEOUT", "the body took too long"};
    default:
      return {499, "CLIENT_CLOSED", "the client has gone"};
  }
}

}  // namespace

Proxy::Proxy(Clock& clock, Metrics& metrics)
    : clock_(clock),
      retries_(metrics.counter("weft_gateway_upstream_retries_total",
                               "Requests sent again because a kept connection had died.")) {}

bool Proxy::may_retry(const Attempt& attempt, const Error& error) const {
  return attempt.connection->is_reused && !attempt.connection->reader.has_begun() &&
         error.code == ErrorCode::Unavailable && attempt.body && !attempt.is_client_at_fault &&
         http::is_idempotent(attempt.exchange.head().method);
}

// What must not be sent twice is sent only where it can be expected to arrive.
UpstreamLease Proxy::usable_idle(const Attempt& attempt) const {
  auto& exchange = attempt.exchange;
  auto connection = attempt.pool.take_idle(exchange.loop_index(), exchange.received_at());
  bool may_be_repeated = attempt.body && http::is_idempotent(exchange.head().method);
  if (connection && !may_be_repeated && !http::is_alive(*connection->stream)) connection.reset();
  return connection;
}

Task<ForwardResult> Proxy::forward(http::Exchange& exchange, const UpstreamPool& pool,
                                   const RequestContext& context) {
  Attempt attempt{exchange, pool, context, exchange.try_read_body(), nullptr, {}};
  auto received_at = exchange.received_at();
  auto loop = exchange.loop_index();
  attempt.connection = usable_idle(attempt);
  for (;;) {
    if (!attempt.connection) {
      auto made = co_await pool.connect(loop);
      if (!made) {
        co_await answer_failure(attempt, std::move(made).error());
        co_return attempt.result;
      }
      attempt.connection = std::move(*made);
    }
    auto& from = *attempt.connection;
    from.stream->set_deadline(received_at + pool.options().response_timeout);
    auto begun = attempt.begin();
    Result<> answered;
    if (!begun) {
      answered = std::unexpected(std::move(begun).error());
    } else if (!*begun) {
      answered = co_await run_slowly(attempt);
    }
    while (answered) {
      auto has_head = from.reader.has_head();
      if (has_head && *has_head) break;
      if (!has_head) {
        answered = std::unexpected(std::move(has_head).error());
        break;
      }
      auto count = co_await from.stream->read_some(from.reader.room());
      if (!count) {
        answered = std::unexpected(std::move(count).error());
      } else if (*count == 0) {
        answered = fail(ErrorCode::Unavailable, "the upstream closed the connection");
      } else {
        from.reader.received(*count);
      }
    }
    if (answered) break;
    if (!may_retry(attempt, answered.error())) {
      co_await answer_failure(attempt, std::move(answered).error());
      co_return attempt.result;
    }
    retries_.add();
    attempt.result.is_retried = true;
    attempt.connection.reset();
  }
  auto now = clock_.mono();
  attempt.result.upstream_time = now - received_at;
  attempt.result.status = attempt.connection->reader.head().status;
  if (!try_relay_whole(attempt)) co_await relay_slowly(attempt);
  if (attempt.connection && attempt.connection->reader.is_reusable()) {
    pool.give_back(loop, std::move(attempt.connection), now);
  }
  co_return attempt.result;
}

// An answer that came with its whole body; false when there is more to it.
bool Proxy::try_relay_whole(Attempt& attempt) const {
  auto& from = *attempt.connection;
  if (attempt.result.status == 101) return false;
  collect_response_fields(from.reader.head(), from.fields);
  attempt.piece = from.reader.next_piece();
  if (!attempt.piece || !from.reader.is_done() || attempt.piece->size() > kRespondNowMax)
    return false;
  if (!attempt.exchange.respond_now(attempt.result.status, from.fields, *attempt.piece)) {
    attempt.result.error = "CLIENT_CLOSED";
  }
  return true;
}

Task<void> Proxy::relay_slowly(Attempt& attempt) {
  if (attempt.result.status == 101 && attempt.exchange.head().is_upgrade) {
    co_return co_await tunnel(attempt);
  }
  if (attempt.result.status == 101) {
    Error unasked{ErrorCode::InvalidArgument, "an upgrade that nobody asked for"};
    co_return co_await answer_failure(attempt, std::move(unasked));
  }
  if (!attempt.piece) co_return co_await answer_failure(attempt, std::move(attempt.piece).error());
  co_await relay_in_pieces(attempt, *attempt.piece);
}

// What the first write left of the head, and a body that has to be waited for.
Task<Result<>> Proxy::run_slowly(Attempt& attempt) {
  auto& to = *attempt.connection;
  std::array<std::string_view, 2> rest{to.out, attempt.body.value_or(std::string_view())};
  for (auto& part : rest) {
    auto step = std::min(attempt.sent, part.size());
    part.remove_prefix(step);
    attempt.sent -= step;
  }
  auto written = co_await to.stream->write(rest);
  if (written && !attempt.body) written = co_await send_body_in_pieces(attempt);
  if (!written && !attempt.is_client_at_fault && !attempt.body) {
    // An upstream that refuses a body may answer before it has read it, and close. What it said is
    // there.
    to.stream->set_deadline(clock_.mono() + 1s);
    co_return Result<>();
  }
  co_return written;
}

Task<Result<>> Proxy::send_body_in_pieces(Attempt& attempt) {
  auto& to = *attempt.connection;
  bool is_chunked = attempt.body_kind() == RequestBody::Chunked;
  auto timeout = attempt.pool.options().response_timeout;
  for (;;) {
    auto piece = co_await attempt.exchange.read_some();
    if (!piece) {
      attempt.is_client_at_fault = true;
      co_return std::unexpected(std::move(piece).error());
    }
    to.stream->set_deadline(clock_.mono() + timeout);
    to.out.clear();
    if (is_chunked) http::append_chunk_size(to.out, piece->size());
    std::array<std::string_view, 3> parts{to.out, *piece, is_chunked ? "\r\n" : ""};
    if (is_chunked || !piece->empty()) CO_CHECK(co_await to.stream->write(parts));
    if (piece->empty()) co_return Result<>();
  }
}

Task<void> Proxy::relay_in_pieces(Attempt& attempt, std::string_view piece) {
  auto& from = *attempt.connection;
  auto& exchange = attempt.exchange;
  auto timeout = attempt.pool.options().response_timeout;
  if (!co_await exchange.start(attempt.result.status, from.fields)) {
    attempt.result.error = "CLIENT_CLOSED";
    co_return;
  }
  for (;;) {
    if (!piece.empty() && !co_await exchange.write(piece)) {
      attempt.result.error = "CLIENT_CLOSED";
      co_return;
    }
    auto next = from.reader.next_piece();
    if (next && !next->empty()) {
      piece = *next;
      continue;
    }
    if (next && from.reader.is_done()) break;
    piece = {};
    Result<std::size_t> count = std::size_t{0};
    if (next) {
      from.stream->set_deadline(clock_.mono() + timeout);
      count = co_await from.stream->read_some(from.reader.room());
    }
    if (next && count && *count > 0) {
      from.reader.received(*count);
      continue;
    }
    if (next && count && from.reader.ended()) break;
    // The client learns of the cut by the connection's end: the answer is under way already.
    attempt.result.error = "UPSTREAM_CUT";
    co_return;
  }
  if (!co_await exchange.finish()) attempt.result.error = "CLIENT_CLOSED";
}

Task<void> Proxy::tunnel(Attempt& attempt) {
  auto& from = *attempt.connection;
  collect_response_fields(from.reader.head(), from.fields);
  auto protocol = from.reader.head().find("upgrade");
  if (protocol) from.fields.push_back(http::Field{"Upgrade", *protocol});
  if (!co_await attempt.exchange.start(101, from.fields)) {
    attempt.result.error = "CLIENT_CLOSED";
    co_return;
  }
  co_await run_tunnel(attempt.exchange.stream(), *from.stream, from.reader.surplus(), clock_);
}

Task<void> Proxy::answer_failure(Attempt& attempt, Error error) {
  auto verdict = attempt.is_client_at_fault
                     ? verdict_on_client(error)
                     : verdict_on_upstream(error, attempt.connection != nullptr);
  attempt.result.status = verdict.status;
  attempt.result.error = verdict.code;
  attempt.connection.reset();
  if (verdict.status == 499 || attempt.exchange.response_started()) co_return;
  auto answer = http::problem(verdict.status, verdict.code, verdict.message,
                              attempt.context.trace.trace_id_hex());
  if (verdict.status == 503) answer.add("Retry-After", "1");
  (void)co_await attempt.exchange.respond(answer);
}

}  // namespace weft::gateway
