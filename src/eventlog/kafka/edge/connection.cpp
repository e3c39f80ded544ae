#include "eventlog/kafka/edge/connection.h"

#include "eventlog/kafka/handlers/handlers.h"
#include "eventlog/kafka/log_module.h"
#include "runtime/disk.h"
#include "runtime/log.h"
#include "runtime/on_loop.h"

namespace weft::kafka {
namespace {

constexpr std::size_t kBuffersPerWrite = 16;
constexpr std::uint64_t kFileBytesPerWrite = 1024 * 1024;
// Whoever has not said who he is cannot make us keep much.
constexpr std::uint32_t kUnknownPeerRequestBytesMax = 64 * 1024;

}  // namespace

Connection::Connection(Broker& broker, std::unique_ptr<net::Stream> stream, Executor loop)
    : broker_(broker),
      stream_(std::move(stream)),
      session_(broker),
      frames_(*stream_, broker.parts.clock, broker.budget),
      produces_(loop, "kafka produce", broker.options.limits.pipelined_requests_max) {
  session_.peer = stream_->peer().host;
  session_.principal = broker.options.anonymous;
  session_.is_plain = !stream_->is_tls();
}

Task<void> Connection::run() {
  const auto& limits = broker_.options.limits;
  authenticate_until_ = broker_.parts.clock.mono() + limits.authentication_timeout;
  auto ended = log_in_by_certificate(session_, *stream_);
  if (ended) ended = co_await read_requests();
  append_held();
  if (!ended) end(ended.error().message);
  if (ended) co_await wait_until_answered();
  is_closed_ = true;
  stream_->close();
  co_await produces_.join();
}

void Connection::drain() {
  is_draining_ = true;
  if (is_reading_ && slots_.empty()) stream_->close();
}

void Connection::end(std::string_view why) {
  if (is_closed_ || is_draining_) return;
  is_closed_ = true;
  log_info(kLogModule, "connection ended",
           {{"peer", session_.peer}, {"client", session_.client_id}, {"reason", why}});
}

std::uint32_t Connection::request_bytes_max() const {
  return session_.principal ? broker_.options.limits.request_bytes_max
                            : kUnknownPeerRequestBytesMax;
}

Duration Connection::idle_timeout() const {
  if (session_.principal) return broker_.options.limits.idle_timeout;
  return std::max<Duration>(authenticate_until_ - broker_.parts.clock.mono(), Duration{1});
}

Task<Result<>> Connection::read_requests() {
  while (!is_closed_ && !is_draining_) {
    co_await wait_out_throttle();
    if (is_draining_) break;
    if (!frames_.has_next()) append_held();
    is_reading_ = true;
    auto frame = co_await frames_.next(idle_timeout(), request_bytes_max());
    is_reading_ = false;
    if (!frame) {
      if (frame.error().code == ErrorCode::InvalidArgument) broker_.metrics.frames_refused.add();
      co_return std::unexpected(std::move(frame).error());
    }
    if (!*frame) co_return Result<>();
    const auto served = co_await serve(**frame);
    if (!served) {
      broker_.metrics.frames_refused.add();
      co_return served;
    }
  }
  co_return Result<>();
}

Task<void> Connection::wait_out_throttle() {
  // Looked at in between, so that a node can stop.
  constexpr Duration kLook = 100ms;
  auto& clock = broker_.parts.clock;
  while (!is_closed_ && !is_draining_ && clock.mono() < muted_until_) {
    append_held();
    const auto slept =
        co_await clock.sleep_for(std::min<Duration>(muted_until_ - clock.mono(), kLook));
    if (!slept) co_return;
  }
}

Task<void> Connection::wait_for_rate(std::int16_t api_key) {
  auto* quotas = broker_.parts.quotas;
  const bool is_produce = api_key == ProduceRequest::kApi.key;
  if (quotas == nullptr || (!is_produce && api_key != FetchRequest::kApi.key)) co_return;
  const auto& by = *session_.principal;
  quotas->refresh(session_.quota, by.tenant, by.name, session_.client_id);
  using eventlog::QuotaRate;
  auto wait =
      quotas->wait(session_.quota, is_produce ? QuotaRate::ProduceBytes : QuotaRate::FetchBytes);
  if (is_produce) wait = std::max(wait, quotas->wait(session_.quota, QuotaRate::ProduceRecords));
  if (wait == Duration::zero()) co_return;
  muted_until_ = broker_.parts.clock.mono() + wait;
  co_await wait_out_throttle();
}

Result<> Connection::take_place() {
  if (place_ || broker_.parts.quotas == nullptr) return {};
  TRY(place_, broker_.parts.quotas->connect(session_.tenant()));
  return {};
}

Task<Result<>> Connection::serve(std::string_view frame) {
  if (session_.sasl == SaslState::RawTokens) co_return co_await serve_raw_token(frame);
  const auto header = read_request_header(frame);
  if (!header) co_return fail(ErrorCode::InvalidArgument, "a request without a header");
  const auto* api = find_api(header->key);
  if (api == nullptr || !api->id.has(header->version))
    co_return co_await serve_unsupported(*header);
  if (api->access == Access::Authenticated) {
    if (!session_.principal)
      co_return fail(ErrorCode::Unauthenticated, "{} before authentication", api->id.name);
    // The client connects again, and is told there why it may not.
    if (auto holds = authenticate_again(session_); !holds) {
      co_await wait_until_answered();
      co_return holds;
    }
    CO_CHECK(take_place());
  }

  const bool is_produce = api->id.key == ProduceRequest::kApi.key;
  if (!is_produce && frame.size() > broker_.options.limits.control_request_bytes_max) {
    co_return fail(ErrorCode::ResourceExhausted, "{} of {} bytes", api->id.name, frame.size());
  }

  std::optional<std::string_view> client;
  auto body = body_reader(frame, api->id, header->version, client);
  if (client && session_.client_id != *client) session_.client_id = *client;
  if (session_.principal) co_await wait_for_rate(api->id.key);
  auto call = std::make_unique<Call>(session_, api->id, header->version, header->correlation_id);
  if (is_produce) {
    co_return co_await pipeline_produce(std::move(call), body);
  }
  co_await wait_until_answered();
  const auto ran = co_await api->run(*call, body);
  if (!ran) {
    co_return fail(ErrorCode::InvalidArgument, "{} version {}: {}", api->id.name, header->version,
                   ran.error().message);
  }
  muted_until_ = broker_.parts.clock.mono() + call->throttle;
  auto& slot = *slots_.emplace_back(std::make_unique<Slot>(std::move(call)));
  co_await finish(slot);
  co_return Result<>();
}

// KIP-511: a client may ask in a version that we do not know yet; the answer is one that all know.
Task<Result<>> Connection::serve_unsupported(const RequestHeader& header) {
  const bool is_old_produce = header.key == ProduceRequest::kApi.key && header.version >= 0 &&
                              header.version < ProduceRequest::kApi.first;
  if (header.key != kApiVersionsKey) {
    co_return fail(ErrorCode::Unsupported, "API {} version {} is not served{}", header.key,
                   header.version, is_old_produce ? " (it is too old)" : "");
  }
  co_await wait_until_answered();
  auto call = std::make_unique<Call>(session_, ApiVersionsRequest::kApi, std::int16_t{0},
                                     header.correlation_id);
  const ApiVersionsRequest request;
  auto response = co_await handle(*call, request);
  response.error_code = code(KafkaError::UnsupportedVersion);
  call->respond(response);
  auto& slot = *slots_.emplace_back(std::make_unique<Slot>(std::move(call)));
  co_await finish(slot);
  co_return Result<>();
}

// SaslHandshake version 0: tokens come bare, and so do the answers; that to PLAIN is empty.
Task<Result<>> Connection::serve_raw_token(std::string_view token) {
  const auto step = co_await sasl_step(session_, token);
  if (!step) co_return std::unexpected(step.error());
  Frame answer;
  answer.bytes.assign(kFramePrefixBytes, '\0');
  store_be(answer.bytes.data(), static_cast<std::uint32_t>(step->token.size()));
  answer.bytes += step->token;
  co_return co_await write(std::move(answer));
}

Task<Result<>> Connection::pipeline_produce(std::unique_ptr<Call> call, Reader& body) {
  // A view of the frame is read and copied here, before the next one is received.
  const auto request = body.message<ProduceRequest>();
  if (!request) co_return std::unexpected(request.error());
  auto prepared = prepare_produce(*call, *request);

  const auto& limits = broker_.options.limits;
  const auto is_full = [&] {
    return produces_.size() + held_.size() >= limits.pipelined_requests_max ||
           bytes_under_way_ >= limits.pipelined_bytes_max;
  };
  while (is_full() && !is_closed_) {
    append_held();
    CO_CHECK(co_await answered_.wait());
  }
  if (is_closed_) co_return fail(ErrorCode::Unavailable, "the connection has ended");

  const auto bytes = prepared.bytes;
  muted_until_ = broker_.parts.clock.mono() + call->throttle;
  auto& slot = *slots_.emplace_back(std::make_unique<Slot>(std::move(call)));
  bytes_under_way_ += bytes;
  held_.push_back({&slot, std::move(prepared), bytes});
  co_return Result<>();
}

void Connection::append_held() {
  for (auto& held : std::exchange(held_, {})) {
    const bool is_begun = produces_.spawn(finish_produce(std::move(held)));
    ENSURE(is_begun, "no more are held than there is room for");
  }
}

Task<void> Connection::finish_produce(HeldProduce held) {
  co_await append_produce(*held.slot->call, std::move(held.produce));
  bytes_under_way_ -= held.bytes;
  held.slot->is_done = true;
  if (is_gathering_) co_return;
  if (slots_.size() > 1) {
    // Others that were durable with the same sync.
    is_gathering_ = true;
    co_await next_turn();
    is_gathering_ = false;
  }
  co_await flush();
}

Task<void> Connection::finish(Slot& slot) {
  slot.is_done = true;
  co_await flush();
}

Task<void> Connection::flush() {
  if (is_writing_) co_return;
  is_writing_ = true;
  while (!slots_.empty() && slots_.front()->is_done) {
    // All that is ready goes out together.
    Frame frame;
    bool closes = false;
    while (!slots_.empty() && slots_.front()->is_done && !closes) {
      auto& call = *slots_.front()->call;
      closes = call.closes;
      auto& from = call.response;
      if (frame.bytes.empty()) {
        frame = std::move(from);
      } else {
        for (auto& splice : from.splices) {
          splice.at += frame.bytes.size();
          frame.splices.push_back(std::move(splice));
        }
        frame.bytes.append(from.bytes);
      }
      slots_.pop_front();
    }
    if (!is_closed_ && !frame.bytes.empty()) {
      const auto written = co_await write(std::move(frame));
      if (!written) end(written.error().message);
    }
    if (closes) end("as answered");
    if (is_closed_) stream_->close();
  }
  is_writing_ = false;
  answered_.wake();
}

Task<Result<>> Connection::write(Frame frame) {
  std::vector<Frame::Piece> pieces;
  pieces.reserve(frame.splices.size() * 2 + 1);
  frame.append_pieces(pieces);
  std::vector<std::string_view> texts;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto* file = pieces[i].file;
    if (file == nullptr) texts.push_back(pieces[i].text);
    const bool is_full = texts.size() == kBuffersPerWrite || i + 1 == pieces.size();
    if (!texts.empty() && (file != nullptr || is_full)) {
      stream_->set_deadline(broker_.parts.clock.mono() + broker_.options.limits.write_timeout);
      CO_CHECK(co_await stream_->write(texts));
      texts.clear();
    }
    if (file != nullptr) CO_CHECK(co_await send_file(*file));
  }
  // A read that waits beside us goes on as before.
  stream_->set_deadline(broker_.parts.clock.mono() + idle_timeout());
  co_return Result<>();
}

Task<Result<>> Connection::send_file(const eventlog::FileBytes& part) {
  for (std::uint64_t sent = 0; sent < part.size;) {
    const auto step = std::min(part.size - sent, kFileBytesPerWrite);
    stream_->set_deadline(broker_.parts.clock.mono() + broker_.options.limits.write_timeout);
    CO_CHECK(co_await stream_->send_file(part.file->descriptor(), part.at + sent, step));
    sent += step;
  }
  broker_.metrics.file_bytes.add(part.size);
  co_return Result<>();
}

Task<void> Connection::wait_until_answered() {
  append_held();
  while (!slots_.empty() || is_writing_) {
    const auto woken = co_await answered_.wait();
    if (!woken) co_return;
  }
}

}  // namespace weft::kafka
