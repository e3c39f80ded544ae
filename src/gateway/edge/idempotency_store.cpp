#include "gateway/edge/idempotency_store.h"

#include "base/bytes.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "eventlog/ensure_stream.h"
#include "runtime/log.h"
#include "runtime/on_loop.h"
#include "runtime/suspension.h"
#include "runtime/with_timeout.h"

namespace weft::gateway {
namespace {

// The first request may end on another loop: its wake is posted to ours, where the flag tells
// whether it came before the wait began.
struct Settled {
  explicit Settled(Executor own_loop) : loop(std::move(own_loop)) {}
  Executor loop;
  Suspension wait;
  bool done = false;
};

void wake_on_its_loop(const std::shared_ptr<Settled>& settled) {
  post_to(settled->loop, [settled] {
    settled->done = true;
    settled->wait.wake();
  });
}

Task<Result<>> wait_until_settled(std::shared_ptr<Settled> settled) {
  while (!settled->done) CO_CHECK(co_await settled->wait.wait());
  co_return Result<>();
}

Result<Digest> digest_of(std::string_view bytes) {
  Digest digest;
  if (bytes.size() != digest.size()) return fail(ErrorCode::DataLoss, "a digest has 16 bytes");
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

}  // namespace

std::string answer_value(const StoredAnswer& answer) {
  constexpr std::size_t kAroundTheBody = 160;
  std::string buffer;
  buffer.reserve(kAroundTheBody + answer.body.size() + answer.body.size() / 8);
  JsonWriter value(std::move(buffer));
  value.object()
      .member("payload", to_hex({answer.payload.data(), answer.payload.size()}))
      .member("status", answer.status)
      .member("contentType", answer.content_type)
      .member("body", answer.body)
      .end();
  return std::move(value).text();
}

Result<StoredAnswer> parse_answer(const eventlog::Record& record) {
  TRY(auto document, JsonDocument::parse(record.value.value_or("")));
  const auto& root = document.root();
  const auto* payload = root.find("payload");
  const auto* status = root.find("status");
  const auto* content_type = root.find("contentType");
  const auto* body = root.find("body");
  if (payload == nullptr || status == nullptr || content_type == nullptr || body == nullptr) {
    return fail(ErrorCode::DataLoss, "the stored answer at offset {} lacks a member",
                record.offset);
  }
  StoredAnswer answer;
  TRY(auto bytes, from_hex(payload->as_string()));
  TRY(answer.payload, digest_of(bytes));
  answer.status = static_cast<int>(status->as_int64().value_or(500));
  answer.content_type = content_type->as_string();
  answer.body = body->as_string();
  return answer;
}

IdempotencyStore::IdempotencyStore(eventlog::EventLog& log, Clock& clock,
                                   const IdempotencyOptions& options)
    : log_(log), clock_(clock), options_(options), index_(options.keys_max) {}

Task<Result<>> IdempotencyStore::start() {
  eventlog::StreamSettings settings;
  settings.name = kIdempotencyStream;
  settings.retention = options_.keep;
  CO_TRY(const auto info, co_await eventlog::ensure_stream(log_, std::move(settings)));
  stream_ = info.id;
  auto state = log_.partition({stream_, 0});
  if (!state) co_return fail(ErrorCode::Internal, "{} has no partition", kIdempotencyStream);
  read_next_ = state->start;
  while (read_next_ < state->end) {
    const auto before = read_next_;
    CO_CHECK(co_await read_answers(Duration::zero()));
    if (read_next_ == before) break;
  }
  log_info("gateway", "idempotency keys restored", {{"keys", index_.size()}});
  co_return Result<>();
}

Task<Result<>> IdempotencyStore::read_answers(Duration wait) {
  eventlog::ReadRequest request;
  request.partition = {stream_, 0};
  request.from = read_next_;
  request.wait = wait;
  CO_TRY(auto read, co_await log_.read(request));
  for (const auto& record : read.records) {
    auto key = digest_of(record.key.value_or(""));
    if (key) index_.restore(*key, record.offset);
  }
  read_next_ = read.next;
  co_return Result<>();
}

Task<void> IdempotencyStore::follow() {
  constexpr Duration kWait = 2s;
  constexpr Duration kFailedReadPause = 1s;
  for (;;) {
    auto read = co_await read_answers(kWait);
    if (read) continue;
    if (read.error().code == ErrorCode::Cancelled) co_return;
    if (read.error().code == ErrorCode::OutOfRange) {
      if (auto state = log_.partition({stream_, 0})) read_next_ = state->start;
    }
    log_warn("gateway", "answers of other nodes cannot be read; trying again",
             {{"why", read.error().message}});
    auto slept = co_await clock_.sleep_for(kFailedReadPause);
    if (!slept) co_return;
  }
}

Task<Result<StoredAnswer>> IdempotencyStore::read_answer(eventlog::Offset offset) {
  eventlog::ReadRequest request;
  request.partition = {stream_, 0};
  request.from = offset;
  request.records_max = 1;
  CO_TRY(auto read, co_await log_.read(request));
  if (read.records.empty() || read.records.front().offset != offset) {
    co_return fail(ErrorCode::DataLoss, "no stored answer at offset {}", offset);
  }
  co_return parse_answer(read.records.front());
}

Task<Result<IdempotencyStore::Begun>> IdempotencyStore::repeat(Digest payload,
                                                               eventlog::Offset offset) {
  CO_TRY(auto answer, co_await read_answer(offset));
  Begun begun;
  begun.outcome = answer.payload == payload ? Outcome::Repeat : Outcome::OtherPayload;
  begun.answer = std::move(answer);
  co_return begun;
}

Task<Result<IdempotencyStore::Begun>> IdempotencyStore::begin(Digest key, Digest payload) {
  auto loop = co_await current_loop();
  auto deadline = clock_.mono() + options_.wait;
  for (;;) {
    // Only the second request of a pair needs to be woken, so the first allocates nothing for it.
    std::shared_ptr<Settled> settled;
    auto claimed = index_.claim(key, payload, [&]() -> std::function<void()> {
      settled = std::make_shared<Settled>(loop);
      return [settled] { wake_on_its_loop(settled); };
    });
    Begun begun;
    switch (claimed.claim) {
      case Claim::New:
        begun.claim = ClaimGuard(index_, key);
        co_return begun;
      case Claim::Stored: {
        auto repeated = co_await repeat(payload, claimed.offset);
        if (repeated || !has_expired(claimed.offset)) co_return repeated;
        // Retention was faster than forget_expired(): the key is free again.
        index_.forget(key, claimed.offset);
        continue;
      }
      case Claim::OtherPayload:
        begun.outcome = Outcome::OtherPayload;
        co_return begun;
      case Claim::Full:
        begun.outcome = Outcome::Full;
        co_return begun;
      case Claim::InFlight:
        break;
    }
    auto left = deadline - clock_.mono();
    auto waited = co_await with_timeout<void>(clock_, left, wait_until_settled(settled));
    if (!waited && waited.error().code == ErrorCode::DeadlineExceeded) {
      begun.outcome = Outcome::StillRunning;
      co_return begun;
    }
    if (!waited) co_return std::unexpected(std::move(waited).error());
  }
}

std::optional<IdempotencyStore::Begun> IdempotencyStore::try_begin(const Digest& key,
                                                                   const Digest& payload) {
  Begun begun;
  switch (index_.claim(key, payload, nullptr).claim) {
    case Claim::New:
      begun.claim = ClaimGuard(index_, key);
      return begun;
    case Claim::OtherPayload:
      begun.outcome = Outcome::OtherPayload;
      return begun;
    case Claim::Full:
      begun.outcome = Outcome::Full;
      return begun;
    case Claim::Stored:
    case Claim::InFlight:
      break;
  }
  return std::nullopt;
}

bool IdempotencyStore::has_expired(eventlog::Offset answer) const {
  auto state = log_.partition({stream_, 0});
  return state && answer < state->start;
}

void IdempotencyStore::forget_expired() {
  auto state = log_.partition({stream_, 0});
  if (!state || state->start == forgotten_below_) return;
  forgotten_below_ = state->start;
  index_.forget_below(state->start);
}

}  // namespace weft::gateway
