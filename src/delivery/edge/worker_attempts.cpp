// SubscriptionWorker: attempts and their outcomes.
#include "delivery/core/attempt_record.h"
#include "delivery/core/delivery_id.h"
#include "delivery/core/webhook_request.h"
#include "delivery/edge/subscription_worker.h"
#include "eventlog/events/event_view.h"
#include "eventlog/record_trace.h"
#include "runtime/crash_point.h"
#include "runtime/log.h"

namespace weft::delivery {

namespace {

CrashPoint before_send("delivery.before-send");
CrashPoint after_answer("delivery.after-answer");

constexpr Duration kUnreadRetryAfter = 1s;
constexpr std::size_t kDeadEventBytesMax = 8 * 1024 * 1024;

DeliveryStatus status_after(Verdict verdict) {
  switch (verdict) {
    case Verdict::Delivered:
      return DeliveryStatus::Delivered;
    case Verdict::Dead:
      return DeliveryStatus::Dead;
    case Verdict::Retry:
    case Verdict::DisableEndpoint:
      break;
  }
  return DeliveryStatus::Failing;
}

}  // namespace

struct SubscriptionWorker::Attempt {
  SubscriptionRef spec;
  Job job;
  eventlog::Record event;
  DeliverySummary delivery;
  TraceContext trace;
  std::array<char, 8> parent_id{};
  WallTime started;
  MonoTime started_mono;
  HeaderList kept_headers;
  std::uint64_t body_bytes = 0;
  bool event_is_lost = false;
};

Task<void> SubscriptionWorker::attempt(std::shared_ptr<SubscriptionWorker> self, Job job) {
  Attempt attempt;
  attempt.spec = spec_;
  attempt.job = std::move(job);
  std::optional<Error> unread;
  if (attempt.job.record) {
    attempt.event = std::move(*attempt.job.record);
  } else {
    auto event = co_await read_event(attempt.job);
    if (event)
      attempt.event = std::move(*event);
    else
      unread = std::move(event).error();
  }
  auto& clock = self->parts_.context.parts.clock;
  // A redrive is somebody's wish: it is made whatever the event's age.
  const bool is_too_old =
      !unread && attempt.job.lane && is_expired(*attempt.job.lane, attempt.event);
  if (is_too_old) {
    finish_expired(attempt);
  } else if (!unread) {
    auto request = begin(attempt);
    before_send.reached();
    auto response = co_await parts_.context.parts.sender.send(std::move(request));
    after_answer.reached();
    bool was_cut_off = !response && response.error().code == ErrorCode::Cancelled;
    // Without a verdict: the next life makes this attempt again.
    if (!was_cut_off) finish(attempt, std::move(response));
  } else if (unread->code == ErrorCode::NotFound) {
    finish_lost(attempt, std::move(unread->message));
  } else if (unread->code != ErrorCode::Cancelled) {
    give_back(attempt.job, clock.now() + kUnreadRetryAfter);
  }
  --in_flight_;
  wake();
}

Task<Result<eventlog::Record>> SubscriptionWorker::read_event(const Job& job) {
  auto& context = parts_.context;
  if (job.lane) co_return co_await read_one(context.parts.log, job.lane->partition, job.offset);
  CO_TRY(auto record, co_await read_one(context.parts.log, context.part_of(context.streams.dead),
                                        job.redrive->dead_letter));
  CO_TRY(auto letter, parse_dead_letter(record));
  if (letter.event_is_lost) co_return fail(ErrorCode::NotFound, "the event is lost");
  co_return std::move(letter.event);
}

void SubscriptionWorker::describe(Attempt& attempt) const {
  auto& delivery = attempt.delivery;
  const auto& job = attempt.job;
  if (job.redrive) {
    delivery = job.redrive->delivery;
    delivery.attempts = job.redrive->attempts_before + job.attempt;
  } else {
    delivery.id = job.lane->id_of(job.offset);
    delivery.tenant = attempt.spec->tenant;
    delivery.subscription = attempt.spec->name;
    delivery.stream = job.lane->stream;
    delivery.partition = job.lane->partition.partition;
    delivery.offset = job.offset;
    delivery.attempts = job.attempt;
    delivery.created = attempt.event.timestamp;
  }
  delivery.status = DeliveryStatus::Pending;
  delivery.last_attempt = attempt.started;
}

http::ClientRequest SubscriptionWorker::begin(Attempt& attempt) {
  auto& parts = parts_.context.parts;
  attempt.started = parts.clock.now();
  attempt.started_mono = parts.clock.mono();
  describe(attempt);
  auto& delivery = attempt.delivery;
  eventlog::EventView event(attempt.event, delivery.stream, delivery.partition);
  delivery.event_id = event.id();
  delivery.event_type = event.type();

  auto parent =
      TraceContext::parse(attempt.event.header("traceparent").value_or(std::string_view()));
  if (parent) attempt.parent_id = parent->span_id;
  // A record that brought no context has that of its place, which the Kafka door uses too.
  const auto& lane = attempt.job.lane;
  if (parent)
    attempt.trace = parent->child(parts.random);
  else if (lane)
    attempt.trace = eventlog::trace_of_record(lane->topic_id, delivery.partition, delivery.offset)
                        .child(parts.random);
  else
    attempt.trace = TraceContext::start(parts.random);
  delivery.trace_id = attempt.trace.trace_id_hex();
  parts_.context.index.started(delivery);

  auto made = webhook_request(*attempt.spec, delivery.id, event, attempt.started, attempt.trace);
  attempt.kept_headers = std::move(made.kept_headers);
  attempt.body_bytes = made.request.body.size();
  return std::move(made.request);
}

void SubscriptionWorker::finish(Attempt& attempt, Result<http::ClientResponse> response) {
  auto& parts = parts_.context.parts;
  AttemptDetail detail;
  detail.number = attempt.delivery.attempts;
  detail.started = attempt.started;
  detail.duration = parts.clock.mono() - attempt.started_mono;
  detail.method = "POST";
  detail.url = attempt.spec->url_text;
  detail.request_headers = std::move(attempt.kept_headers);
  detail.request_bytes = attempt.body_bytes;
  detail.trace_id = attempt.delivery.trace_id;

  Outcome outcome;
  if (response) {
    outcome.status = response->status;
    outcome.retry_after = std::string(response->find("retry-after").value_or(std::string_view()));
    detail.status = response->status;
    detail.response_headers = kept_headers(response->fields);
    detail.response_body = kept_text(response->body, kResponseBodyKept);
    detail.response_body_cut = response->truncated || response->body.size() > kResponseBodyKept;
  } else {
    detail.error = kept_text(response.error().message, kErrorKept);
    outcome.error = std::move(response).error();
  }
  AttemptContext context;
  context.attempt = attempt.job.attempt;
  context.now = parts.clock.now();
  context.age_from = attempt.job.redrive ? attempt.job.redrive->since
                                         : std::max(attempt.event.timestamp, active_since_);
  auto decision = decide(attempt.spec->retry, context, outcome, parts.random);
  conclude(attempt, std::move(detail), std::move(decision));
}

void SubscriptionWorker::finish_lost(Attempt& attempt, std::string reason) {
  attempt.event_is_lost = true;
  auto what = "the event left its stream before it could be delivered: " + reason;
  give_up(attempt, std::move(reason), std::move(what));
}

void SubscriptionWorker::finish_expired(Attempt& attempt) {
  expired_->add();
  give_up(attempt, "expired", "expired: the event is older than the ttl of its stream");
}

void SubscriptionWorker::give_up(Attempt& attempt, std::string error, std::string reason) {
  attempt.started = parts_.context.parts.clock.now();
  describe(attempt);
  if (!attempt.event_is_lost) {
    eventlog::EventView event(attempt.event, attempt.delivery.stream, attempt.delivery.partition);
    attempt.delivery.event_id = event.id();
    attempt.delivery.event_type = event.type();
  }
  AttemptDetail detail;
  detail.number = attempt.delivery.attempts;
  detail.started = attempt.started;
  detail.error = std::move(error);
  detail.method = "POST";
  detail.url = attempt.spec->url_text;
  Decision decision;
  decision.verdict = Verdict::Dead;
  decision.reason = std::move(reason);
  conclude(attempt, std::move(detail), std::move(decision));
}

void SubscriptionWorker::conclude(Attempt& attempt, AttemptDetail detail, Decision decision) {
  auto& delivery = attempt.delivery;
  detail.delivered = decision.verdict == Verdict::Delivered;
  detail.reason = kept_text(decision.reason, kErrorKept);
  if (decision.verdict == Verdict::Retry) detail.next_attempt = decision.retry_at;
  delivery.status = status_after(decision.verdict);
  delivery.last_status = detail.status;
  delivery.last_error = detail.reason;
  delivery.next_attempt = detail.next_attempt;
  delivery.dead_reason = decision.verdict == Verdict::Dead ? detail.reason : std::string();

  (detail.delivered ? delivered_ : failed_)->add();
  durations_->observe(detail.duration);
  record_span(attempt, detail);

  AttemptOutcome outcome;
  outcome.attempt_json = attempt_json(delivery, detail);
  outcome.lane = attempt.job.lane;
  outcome.offset = attempt.job.offset;
  if (decision.verdict == Verdict::Dead) {
    given_up_->add();
    log_warn("delivery", "given up: the event is a dead letter",
             {{"subscription", delivery.subscription},
              {"delivery", delivery.id},
              {"event", delivery.event_id},
              {"attempts", delivery.attempts},
              {"reason", detail.reason},
              {"trace_id", delivery.trace_id}});
    outcome.dead = dead_record(attempt, delivery);
  } else if (attempt.job.redrive && decision.verdict == Verdict::Delivered) {
    outcome.dead = resolved_record(delivery.id);
  } else if (attempt.job.redrive) {
    attempt.job.redrive->due = decision.verdict == Verdict::Retry ? decision.retry_at : WallTime();
    queue_redrive(std::move(*attempt.job.redrive));
  }
  if (decision.hold_until) held_until_ = decision.hold_until;
  if (decision.verdict == Verdict::DisableEndpoint) {
    set_disabled(decision.reason);
    outcome.state = state_record();
  }
  outcome.delivery = std::move(delivery);
  outcome.decision = std::move(decision);
  outcome.owner = shared_from_this();
  parts_.journal.submit(std::move(outcome));
}

eventlog::NewRecord SubscriptionWorker::dead_record(const Attempt& attempt,
                                                    const DeliverySummary& delivery) const {
  DeadLetter letter;
  letter.delivery = delivery;
  letter.since = parts_.context.parts.clock.now();
  letter.event = attempt.event;
  letter.event_is_lost = attempt.event_is_lost;
  if (letter.event.value && letter.event.value->size() > kDeadEventBytesMax) {
    // The log would refuse it for ever. The event stays in its stream until retention takes it.
    letter.event_is_lost = true;
    letter.event.value.reset();
  }
  return to_record(letter);
}

void SubscriptionWorker::record_span(const Attempt& attempt, const AttemptDetail& detail) const {
  auto* sink = parts_.context.parts.spans;
  if (sink == nullptr || !attempt.trace.is_valid()) return;
  const auto& delivery = attempt.delivery;
  auto name = "deliver " + delivery.subscription;
  auto partition = std::to_string(delivery.partition);
  auto offset = std::to_string(delivery.offset);
  auto number = std::to_string(detail.number);
  auto status = std::to_string(detail.status);
  bool is_answered = detail.status != 0;
  using Attribute = std::pair<std::string_view, std::string_view>;
  // What is missing or does not apply is last, and cut off.
  const std::array<Attribute, 13> attributes = {
      {{"service.name", "delivery"},
       {"http.request.method", "POST"},
       {"url.full", attempt.spec->url_text},
       {"server.address", attempt.spec->url.host},
       {"messaging.destination.name", delivery.stream},
       {"messaging.destination.partition.id", partition},
       {"messaging.kafka.offset", offset},
       {"weft.delivery.id", delivery.id},
       {"weft.delivery.attempt", number},
       {"weft.subscription.name", delivery.subscription},
       {"weft.tenant", delivery.tenant},
       is_answered ? Attribute("http.response.status_code", status)
                   : Attribute("error.type", detail.error),
       {"error.type", status}}};
  SpanView span;
  span.context = attempt.trace;
  span.parent_id = attempt.parent_id;
  span.name = name;
  span.kind = SpanKind::Client;
  span.start = attempt.started;
  span.end = attempt.started + detail.duration;
  span.failed = !detail.delivered;
  bool has_error_status = span.failed && is_answered;
  span.attributes = std::span(attributes).first(has_error_status ? 13 : 12);
  sink->record_view(span);
}

}  // namespace weft::delivery
