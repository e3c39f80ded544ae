#include "gateway/publisher.h"

#include <array>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "base/uuid.h"
#include "crypto/digest.h"
#include "runtime/crash_point.h"

namespace weft::gateway {
namespace {

CrashPoint before_append("gateway.before-append");
CrashPoint before_answer("gateway.before-answer");

// The parts cannot run into one another: each is preceded by its length.
Digest digest_of(std::initializer_list<std::string_view> parts) {
  crypto::Sha256 state;
  for (auto part : parts) {
    char size[4];
    store_be(size, static_cast<std::uint32_t>(part.size()));
    state.update({size, sizeof size}).update(part);
  }
  auto full = state.digest();
  Digest digest;
  std::copy_n(full.bytes.begin(), digest.size(), digest.begin());
  return digest;
}

Uuid uuid_of(const Digest& digest) {
  return Uuid::v4(load_be<std::uint64_t>(digest.data()), load_be<std::uint64_t>(digest.data() + 8));
}

// A value's text as a key or subject: a string's characters, anything else as it is written.
std::optional<std::string> text_at(const Json& root, const std::optional<std::string>& pointer) {
  if (!pointer) return std::nullopt;
  const auto* value = root.at_pointer(*pointer);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return std::string(value->is_string() ? value->as_string() : value->raw());
}

std::expected<std::optional<std::string_view>, Refusal> read_key(IdempotencyRule rule,
                                                                 const http::RequestHead& head) {
  if (rule == IdempotencyRule::None) return std::nullopt;
  auto field = head.find("Idempotency-Key");
  if (!field || field->empty()) {
    if (rule == IdempotencyRule::Optional) return std::nullopt;
    return std::unexpected(Refusal{
        400, "IDEMPOTENCY_KEY_REQUIRED",
        "send a header Idempotency-Key, unique per order and the same for every retry", ""});
  }
  if (field->size() > Publisher::kKeyBytesMax) {
    return std::unexpected(
        Refusal{400, "IDEMPOTENCY_KEY_TOO_LONG", "an Idempotency-Key has at most 255 bytes", ""});
  }
  return *field;
}

http::Response to_response(StoredAnswer answer, bool is_replayed) {
  http::Response response(answer.status, std::move(answer.content_type), std::move(answer.body));
  if (is_replayed) response.add("Idempotency-Replayed", "true");
  return response;
}

http::Response append_failed(const Error& error, const RequestContext& context) {
  auto trace = context.trace.trace_id_hex();
  if (error.code == ErrorCode::InvalidArgument) {
    return http::problem(413, "BODY_TOO_LARGE", error.message, trace);
  }
  auto response =
      http::problem(503, "NOT_STORED", "the event could not be stored: " + error.message, trace);
  response.add("Retry-After", "1");
  return response;
}

// For a key that another request has, or had.
http::Response answer_unclaimed(IdempotencyStore::Begun begun, const RequestContext& context) {
  using Outcome = IdempotencyStore::Outcome;
  auto trace = context.trace.trace_id_hex();
  switch (begun.outcome) {
    case Outcome::Mine:
      break;
    case Outcome::Repeat:
      return to_response(std::move(begun.answer), true);
    case Outcome::OtherPayload:
      return http::problem(
          422, "IDEMPOTENCY_KEY_REUSED",
          "this Idempotency-Key was used with another request; use a new key for a new request",
          trace);
    case Outcome::StillRunning:
      return http::problem(409, "REQUEST_IN_PROGRESS",
                           "the first request with this Idempotency-Key has not ended; retry later",
                           trace);
    case Outcome::Full:
      return http::problem(503, "IDEMPOTENCY_KEYS_EXHAUSTED",
                           "too many keys are remembered (gateway.idempotencyKeysMax); retry later",
                           trace);
  }
  return http::problem(500, "INTERNAL", "the key is this request's own", trace);
}

// The record's headers: the event's attributes in Kafka's binary mode (CloudEvents Kafka
// binding 3.2).
struct EventHeaders {
  EventHeaders(const PublishBinding& binding, const PreparedEvent& event,
               std::string_view traceparent)
      : list{{{"ce_specversion", "1.0"},
              {"ce_id", event.event_id},
              {"ce_source", binding.source},
              {"ce_type", binding.event_type},
              {"ce_time", event.time},
              {"content-type", "application/json"},
              {"traceparent", traceparent}}} {
    if (event.subject) list[count++] = {"ce_subject", *event.subject};
  }
  std::span<const std::pair<std::string_view, std::string_view>> span() const {
    return {list.data(), count};
  }

  std::array<std::pair<std::string_view, std::string_view>, 8> list;
  std::size_t count = 7;
};

}  // namespace

std::string violations_json(const std::vector<contracts::Violation>& violations) {
  JsonWriter out;
  out.array();
  for (const auto& violation : violations) {
    out.object()
        .member("in", "body")
        .member("pointer", violation.instance)
        .member("schema", violation.schema)
        .member("message", violation.message)
        .end();
  }
  out.end();
  return std::move(out).text();
}

std::expected<PreparedEvent, Refusal> Publisher::prepare(const PublishBinding& binding,
                                                         const http::RequestHead& head,
                                                         const CheckedBody& body,
                                                         const RequestContext& context) const {
  PreparedEvent event;
  event.stream = parts_.streams.find(binding.tenant, binding.stream);
  if (!event.stream) {
    return std::unexpected(
        Refusal{503, "STREAM_UNAVAILABLE", "stream " + binding.stream + " is not ready", ""});
  }
  const auto& declared = *event.stream->declared;
  std::vector<contracts::Violation> violations;
  if (!declared.is_kept_by(body.rules)) violations = declared.violations(body.tree);
  if (!violations.empty()) {
    auto message = "the body breaks the contract of " + binding.stream + " at '" +
                   violations[0].instance + "': " + violations[0].message;
    return std::unexpected(
        Refusal{400, "CONTRACT_VIOLATION", std::move(message), violations_json(violations)});
  }
  auto key = read_key(binding.idempotency, head);
  if (!key) return std::unexpected(std::move(key).error());
  event.is_idempotent = key->has_value();
  if (event.is_idempotent) {
    auto caller = context.principal ? std::string_view(context.principal->id) : std::string_view();
    event.key = digest_of({binding.tenant, binding.route, caller, **key});
    event.payload = digest_of({head.method, head.target, body.text});
    event.event_id = uuid_of(event.key).text();
  } else {
    event.event_id = parts_.random.uuid_v7(context.start).text();
  }
  event.subject = text_at(body.tree, binding.subject_pointer);
  event.record_key = text_at(body.tree, binding.key_pointer);
  if (!declared.business_keys.empty()) {
    event.business_keys = contracts::find_business_keys(declared.business_keys, body.tree);
  }
  event.body = body.text;
  event.time = to_rfc3339(context.start);
  return event;
}

StoredAnswer Publisher::make_answer(const PublishBinding& binding, const PreparedEvent& event,
                                    WallTime now) const {
  constexpr std::size_t kUsualBytes = 256;
  std::string buffer;
  buffer.reserve(kUsualBytes);
  JsonWriter body(std::move(buffer));
  body.object().member("eventId", event.event_id).member("eventType", binding.event_type);
  if (event.subject) body.member("subject", *event.subject);
  body.member("acceptedAt", to_rfc3339(now)).end();
  StoredAnswer answer;
  answer.payload = event.payload;
  answer.status = binding.status;
  answer.content_type = "application/json";
  answer.body = std::move(body).text();
  return answer;
}

void Publisher::record_span(const PublishBinding& binding, const PreparedEvent& event,
                            const TraceContext& span, const RequestContext& context, WallTime start,
                            const Result<std::vector<eventlog::Appended>>& outcome) {
  auto partition = std::to_string(outcome ? outcome->front().partition.partition : -1);
  auto offset = std::to_string(outcome ? outcome->front().first_offset : -1);
  constexpr std::size_t kAlways = 6;
  std::array<std::pair<std::string_view, std::string_view>, 8 + contracts::kBusinessKeysMax>
      attributes = {{
          {"service.name", "eventlog"},
          {"cloudevents.event_id", event.event_id},
          {"cloudevents.event_subject",
           event.subject ? std::string_view(*event.subject) : std::string_view()},
          {"messaging.system", "weft"},
          {"messaging.operation.name", "append"},
          {"messaging.destination.name", binding.stream},
      }};
  auto count = kAlways;
  if (outcome) {
    attributes[count++] = {"messaging.destination.partition.id", partition};
    attributes[count++] = {"messaging.kafka.offset", offset};
  }
  for (const auto& key : event.business_keys) attributes[count++] = {key.attribute, key.value};
  SpanView view;
  view.context = span;
  view.parent_id = context.trace.span_id;
  thread_local std::string name;
  name.assign("append ").append(binding.stream);
  view.name = name;
  view.kind = SpanKind::Producer;
  view.start = start;
  view.end = parts_.clock.now();
  view.failed = !outcome.has_value();
  view.attributes = std::span(attributes).first(count);
  parts_.spans.record_view(view);
}

std::optional<http::Response> Publisher::over_quota(const PublishBinding& binding,
                                                    const PreparedEvent& event,
                                                    const RequestContext& context) const {
  if (parts_.quotas == nullptr) return std::nullopt;
  const auto client =
      context.principal ? std::string_view(context.principal->name) : std::string_view();
  Duration wait{};
  const auto admitted = parts_.quotas->admit(binding.tenant, client, event.body.size(), 1, wait);
  if (admitted) return std::nullopt;
  return eventlog::quota_problem(admitted.error(), wait, context.trace.trace_id_hex());
}

Task<http::Response> Publisher::publish(const PublishBinding& binding, const PreparedEvent& event,
                                        const RequestContext& context) {
  using Outcome = IdempotencyStore::Outcome;
  IdempotencyStore::ClaimGuard claim;
  if (event.is_idempotent) {
    auto begun = parts_.answers.try_begin(event.key, event.payload);
    if (!begun) {
      auto waited = co_await parts_.answers.begin(event.key, event.payload);
      if (!waited) co_return append_failed(waited.error(), context);
      begun = std::move(*waited);
    }
    if (begun->outcome != Outcome::Mine) co_return answer_unclaimed(std::move(*begun), context);
    claim = std::move(begun->claim);
  }
  if (auto refused = over_quota(binding, event, context)) co_return std::move(*refused);
  auto start = parts_.clock.now();
  auto answer = make_answer(binding, event, start);
  auto span = context.trace.child(parts_.random);
  auto traceparent = span.traceparent();
  EventHeaders headers(binding, event, traceparent);
  eventlog::BorrowedRecord record{event.record_key, event.body, headers.span(), {}};
  eventlog::BorrowedRecord answer_record;
  std::string stored;
  if (event.is_idempotent) {
    stored = answer_value(answer);
    answer_record = {std::string_view(event.key.data(), event.key.size()), stored, {}, {}};
  }
  std::array<eventlog::BorrowedRecords, 2> entry{
      {{event.stream->info.id, -1, {&record, 1}},
       {parts_.answers.stream(), 0, {&answer_record, 1}}}};
  auto parts = std::span(entry).first(event.is_idempotent ? 2 : 1);

  before_append.reached();
  auto appended = co_await parts_.log.append_borrowed(parts);
  record_span(binding, event, span, context, start, appended);
  if (!appended) co_return append_failed(appended.error(), context);
  before_answer.reached();
  claim.settle(appended->back().first_offset);
  co_return to_response(std::move(answer), false);
}

}  // namespace weft::gateway
