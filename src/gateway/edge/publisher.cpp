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
  std::string input;
  for (auto part : parts) {
    append_be(input, static_cast<std::uint32_t>(part.size()));
    input += part;
  }
  auto full = crypto::sha256(input);
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

std::expected<std::optional<std::string>, Refusal> read_key(IdempotencyRule rule,
                                                            const http::RequestHead& head) {
  if (rule == IdempotencyRule::None) return std::nullopt;
  auto field = head.find("Idempotency-Key");
  if (!field || field->empty()) {
    if (rule == IdempotencyRule::Optional) return std::nullopt;
    return std::unexpected(Refusal{400, "IDEMPOTENCY_KEY_REQUIRED",
                                   "send a header Idempotency-Key, unique per order and the same for every retry", ""});
  }
  if (field->size() > Publisher::kKeyBytesMax) {
    return std::unexpected(Refusal{400, "IDEMPOTENCY_KEY_TOO_LONG", "an Idempotency-Key has at most 255 bytes", ""});
  }
  return std::string(*field);
}

http::Response to_response(const StoredAnswer& answer, bool is_replayed) {
  http::Response response(answer.status, answer.content_type, answer.body);
  if (is_replayed) response.add("Idempotency-Replayed", "true");
  return response;
}

http::Response append_failed(const Error& error, const RequestContext& context) {
  auto trace = context.trace.trace_id_hex();
  if (error.code == ErrorCode::InvalidArgument) {
    return http::problem(413, "BODY_TOO_LARGE", error.message, trace);
  }
  auto response = http::problem(503, "NOT_STORED", "the event could not be stored: " + error.message, trace);
  response.add("Retry-After", "1");
  return response;
}

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
                                                         std::string_view body, const Json& parsed,
                                                         const RequestContext& context) const {
  PreparedEvent event;
  event.stream = parts_.streams.find(binding.tenant, binding.stream);
  if (!event.stream) {
    return std::unexpected(Refusal{503, "STREAM_UNAVAILABLE", "stream " + binding.stream + " is not ready", ""});
  }
  auto violations = event.stream->declared->violations(parsed);
  if (!violations.empty()) {
    auto message = "the body breaks the contract of " + binding.stream + " at '" + violations[0].instance +
                   "': " + violations[0].message;
    return std::unexpected(Refusal{400, "CONTRACT_VIOLATION", std::move(message), violations_json(violations)});
  }
  auto key = read_key(binding.idempotency, head);
  if (!key) return std::unexpected(std::move(key).error());
  event.idempotency_key = std::move(*key);
  if (event.idempotency_key) {
    auto caller = context.principal ? std::string_view(context.principal->id) : std::string_view();
    event.key = digest_of({binding.tenant, binding.route, caller, *event.idempotency_key});
    event.payload = digest_of({head.method, head.target, body});
    event.event_id = uuid_of(event.key).text();
  } else {
    event.event_id = parts_.random.uuid_v7(context.start).text();
  }
  event.subject = text_at(parsed, binding.subject_pointer);
  auto& record = event.record;
  record.key = text_at(parsed, binding.key_pointer);
  record.value.emplace(body);
  record.headers = {{"ce_specversion", "1.0"},
                    {"ce_id", event.event_id},
                    {"ce_source", binding.source},
                    {"ce_type", binding.event_type},
                    {"ce_time", to_rfc3339(context.start)},
                    {"content-type", "application/json"}};
  if (event.subject) record.headers.emplace_back("ce_subject", *event.subject);
  return event;
}

StoredAnswer Publisher::make_answer(const PublishBinding& binding, const PreparedEvent& event,
                                    WallTime now) const {
  JsonWriter body;
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

void Publisher::record_span(const PublishBinding& binding, const PreparedEvent& event, const TraceContext& span,
                            const RequestContext& context, WallTime start,
                            const Result<std::vector<eventlog::Appended>>& outcome) {
  auto partition = std::to_string(outcome ? outcome->front().partition.partition : -1);
  auto offset = std::to_string(outcome ? outcome->front().first_offset : -1);
  std::array<std::pair<std::string_view, std::string_view>, 8> attributes = {{
      {"service.name", "eventlog"},
      {"cloudevents.event_id", event.event_id},
      {"cloudevents.event_subject", event.subject ? std::string_view(*event.subject) : std::string_view()},
      {"messaging.system", "weft"},
      {"messaging.operation.name", "append"},
      {"messaging.destination.name", binding.stream},
      {"messaging.destination.partition.id", partition},
      {"messaging.kafka.offset", offset},
  }};
  SpanView view;
  view.context = span;
  view.parent_id = context.trace.span_id;
  std::string name = "append " + binding.stream;
  view.name = name;
  view.kind = SpanKind::Producer;
  view.start = start;
  view.end = parts_.clock.now();
  view.failed = !outcome.has_value();
  view.attributes = std::span(attributes).first(outcome ? attributes.size() : 6);
  parts_.spans.record_view(view);
}

// The offset of the stored answer, or -1 when there is none to store.
Task<Result<eventlog::Offset>> Publisher::append(const PublishBinding& binding, PreparedEvent& event,
                                                 const StoredAnswer& answer, const RequestContext& context) {
  auto span = context.trace.child(parts_.random);
  event.record.headers.emplace_back("traceparent", span.traceparent());
  std::vector<eventlog::NewRecords> entry;
  auto& records = entry.emplace_back();
  records.stream = event.stream->info.id;
  records.records.push_back(std::move(event.record));
  if (event.idempotency_key) entry.push_back(parts_.answers.entry(event.key, answer));

  before_append.reached();
  auto start = parts_.clock.now();
  auto appended = co_await parts_.log.append(std::move(entry));
  record_span(binding, event, span, context, start, appended);
  if (!appended) co_return std::unexpected(std::move(appended).error());
  co_return event.idempotency_key ? appended->back().first_offset : -1;
}

Task<http::Response> Publisher::publish(const PublishBinding& binding, PreparedEvent event,
                                        RequestContext context) {
  using Outcome = IdempotencyStore::Outcome;
  auto trace = context.trace.trace_id_hex();
  IdempotencyStore::ClaimGuard claim;
  if (event.idempotency_key) {
    auto begun = co_await parts_.answers.begin(event.key, event.payload);
    if (!begun) co_return append_failed(begun.error(), context);
    switch (begun->outcome) {
      case Outcome::Mine: break;
      case Outcome::Repeat: co_return to_response(begun->answer, true);
      case Outcome::OtherPayload:
        co_return http::problem(422, "IDEMPOTENCY_KEY_REUSED",
                                "this Idempotency-Key was used with another request; use a new key for a new request",
                                trace);
      case Outcome::StillRunning:
        co_return http::problem(409, "REQUEST_IN_PROGRESS",
                                "the first request with this Idempotency-Key has not ended; retry later", trace);
      case Outcome::Full:
        co_return http::problem(503, "IDEMPOTENCY_KEYS_EXHAUSTED",
                                "too many keys are remembered (gateway.idempotencyKeysMax); retry later", trace);
    }
    claim = std::move(begun->claim);
  }
  auto answer = make_answer(binding, event, parts_.clock.now());
  auto stored_at = co_await append(binding, event, answer, context);
  if (!stored_at) co_return append_failed(stored_at.error(), context);
  before_answer.reached();
  claim.settle(*stored_at);
  co_return to_response(answer, false);
}

}  // namespace weft::gateway
