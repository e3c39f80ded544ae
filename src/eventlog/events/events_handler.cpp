#include "eventlog/events/events_handler.h"

#include <algorithm>

#include "base/json_writer.h"
#include "eventlog/core/record_fault.h"
#include "eventlog/events/events_call.h"
#include "eventlog/events/http_binding.h"
#include "eventlog/quarantine.h"
#include "http/api_key.h"

namespace weft::eventlog {

namespace {

constexpr std::string_view kPrefix = "/events/";
constexpr std::string_view kHowToSend =
    "send application/cloudevents+json, application/cloudevents-batch+json, or ce- header fields "
    "with the "
    "data as body";

// Events of one key go to one partition, in the order given; all others stay together.
struct Placement {
  std::vector<NewRecords> entry;
  // Group and position; absent for an event that the stream has already.
  std::vector<std::optional<std::pair<std::size_t, std::size_t>>> of_event;
};

Placement place(std::vector<CloudEvent> events, const std::vector<bool>& is_known, StreamId stream,
                const std::string& traceparent) {
  Placement out;
  std::map<std::optional<std::string>, std::size_t> groups;
  for (std::size_t i = 0; i < events.size(); ++i) {
    auto& event = events[i];
    if (is_known[i]) {
      out.of_event.emplace_back();
      continue;
    }
    auto record = to_record(std::move(event));
    record.headers.emplace_back("traceparent", traceparent);
    auto [group, is_new] = groups.emplace(record.key, out.entry.size());
    if (is_new) out.entry.push_back({stream, -1, {}});
    auto& records = out.entry[group->second].records;
    out.of_event.emplace_back(std::pair(group->second, records.size()));
    records.push_back(std::move(record));
  }
  return out;
}

std::string answer_json(std::string_view stream, const std::vector<std::string>& ids,
                        const Placement& placed, const std::vector<Appended>& appended,
                        bool is_shared) {
  JsonWriter out;
  out.object().member("stream", stream).key("items").array();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    out.object().member("id", ids[i]);
    if (!placed.of_event[i]) {
      out.member("duplicate", true).end();
      continue;
    }
    auto [group, position] = *placed.of_event[i];
    out.member("partition", appended[group].partition.partition);
    // Records of others may stand between those of an entry where several processes write.
    if (!is_shared || position == 0)
      out.member("offset", appended[group].first_offset + static_cast<Offset>(position));
    out.end();
  }
  out.end().end();
  return std::move(out).text();
}

std::string violations_json(std::optional<std::size_t> index,
                            const std::vector<contracts::Violation>& all) {
  JsonWriter out;
  out.array();
  for (const auto& violation : all) {
    out.object();
    if (index) out.member("event", *index);
    out.member("pointer", violation.instance).member("schema", violation.schema);
    out.member("message", violation.message).end();
  }
  out.end();
  return std::move(out).text();
}

http::Response from_log_error(const Error& error, std::string_view trace_id) {
  switch (error.code) {
    case ErrorCode::NotFound:
      return http::problem(404, "STREAM_NOT_FOUND", error.message, trace_id);
    case ErrorCode::InvalidArgument:
      return http::problem(413, "TOO_LARGE", error.message, trace_id);
    case ErrorCode::OutOfRange:
      return http::problem(400, "OUT_OF_RANGE", error.message, trace_id);
    case ErrorCode::ResourceExhausted:
      return http::problem(507, "LOG_FULL", error.message, trace_id).add("Retry-After", "5");
    default:
      return http::problem(503, "LOG_UNAVAILABLE", error.message, trace_id).add("Retry-After", "1");
  }
}

// Which events the stream has already. Conflict while another request stores one of them.
Result<std::vector<bool>> claim(DedupeIndex* index, const Stream& stream,
                                const std::vector<CloudEvent>& events,
                                DedupeIndex::Claims& claims) {
  std::vector<bool> known(events.size());
  if (index == nullptr || stream.declared->dedupe == Duration::zero()) return known;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& id = *events[i].find("id");
    switch (index->claim(stream, *events[i].find("source"), id, claims)) {
      case DedupeIndex::Outcome::Mine:
        break;
      case DedupeIndex::Outcome::Duplicate:
        known[i] = true;
        break;
      case DedupeIndex::Outcome::UnderWay:
        return fail(ErrorCode::Conflict, "event {} is being stored by another request: repeat it",
                    id);
    }
  }
  return known;
}

}  // namespace

EventsHandler::EventsHandler(EventsParts parts)
    : parts_(parts),
      published_(
          parts.metrics.counter("weft_events_published_total", "CloudEvents stored over HTTP")),
      refused_(parts.metrics.counter("weft_events_refused_total",
                                     "Requests to publish that were refused")),
      sent_(parts.metrics.counter("weft_events_sent_total", "Events sent to listeners")),
      expired_(parts.metrics.counter("weft_events_expired_total",
                                     "Events that listeners were not sent because they are older "
                                     "than the ttl of their stream")),
      open_(parts.metrics.gauge("weft_events_listeners", "Open streams of server-sent events")) {}

Task<void> EventsHandler::handle(http::Exchange& exchange) {
  const auto& head = exchange.head();
  Call call;
  call.start = parts_.clock.now();
  auto parent = TraceContext::parse(head.find("traceparent").value_or(std::string_view()));
  if (parent) call.parent_id = parent->span_id;
  call.trace = parent ? parent->child(parts_.random) : TraceContext::start(parts_.random);
  if (auto refusal = admit(exchange, call)) {
    co_await answer(exchange, call, std::move(*refusal));
  } else if (head.method == "POST") {
    co_await publish(exchange, call);
  } else {
    co_await listen(exchange, call);
  }
}

std::optional<http::Response> EventsHandler::admit(http::Exchange& exchange, Call& call) const {
  const auto& head = exchange.head();
  auto rest =
      head.path.starts_with(kPrefix) ? head.path.substr(kPrefix.size()) : std::string_view();
  auto name = http::percent_decode(rest);
  if (!name || name->empty() || rest.contains('/')) {
    return call.refusal(404, "NOT_FOUND", "the path is /events/{stream}");
  }
  call.stream_name = std::move(*name);
  bool is_write = head.method == "POST";
  if (!is_write && head.method != "GET") {
    return call.refusal(405, "METHOD_NOT_ALLOWED", "POST publishes, GET listens")
        .add("Allow", "GET, POST");
  }
  auto principal = principal_of(head);
  if (!principal) {
    return call.refusal(401, "UNAUTHENTICATED", principal.error().message)
        .add("WWW-Authenticate", "Bearer");
  }
  call.principal = std::move(*principal);
  auto action = is_write ? identity::action::kStreamWrite : identity::action::kStreamRead;
  identity::ResourceRef resource{call.principal->tenant, "Stream", call.stream_name};
  if (!identity::Decisions().decide(*call.principal, action, resource)) {
    return call.refusal(
        403, "PERMISSION_DENIED",
        fmt::format("{} lacks {} on stream {}", call.principal->id, action, call.stream_name));
  }
  call.stream = parts_.streams.find(call.principal->tenant, call.stream_name);
  if (!call.stream) {
    return call.refusal(404, "STREAM_NOT_FOUND",
                        fmt::format("there is no stream {}", call.stream_name));
  }
  return std::nullopt;
}

Result<identity::PrincipalRef> EventsHandler::principal_of(const http::RequestHead& head) const {
  auto key = http::api_key_of(head);
  if (key.empty()) return fail(ErrorCode::Unauthenticated, "no API key was sent");
  return parts_.authenticator.authenticate(key);
}

void EventsHandler::note_reject(const Call& call, std::size_t sent, std::size_t index,
                                const contracts::Violation& violation) const {
  if (parts_.rejects == nullptr) return;
  Reject reject;
  reject.tenant = call.principal->tenant;
  reject.stream = call.stream_name;
  reject.door = "events";
  reject.principal = call.principal->id;
  reject.outcome = "refused";
  reject.sent = sent;
  reject.broken = 1;
  reject.index = static_cast<std::int64_t>(index);
  reject.reason = fault_text(violation);
  parts_.rejects->note(std::move(reject));
}

std::optional<http::Response> EventsHandler::check_events(Call& call,
                                                          const std::vector<CloudEvent>& events,
                                                          bool is_batch) const {
  const auto& declared = *call.stream->declared;
  if (const auto open = check_open_to_writers(*call.stream); !open)
    return call.refusal(403, "PERMISSION_DENIED", open.error().message);
  if (!declared.validates()) return std::nullopt;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& event = events[i];
    std::vector<contracts::FoundBusinessKey> keys;
    auto violations = declared.violations_of_text(event.data.value_or(""), 20, &keys);
    call.add(std::move(keys));
    if (violations.empty()) continue;
    note_reject(call, events.size(), i, violations[0]);
    std::optional<std::size_t> index;
    if (is_batch) index = i;
    auto message = fmt::format("event {} breaks the contract of {} at '{}': {}", *event.find("id"),
                               call.stream_name, violations[0].instance, violations[0].message);
    return call.refusal(400, "CONTRACT_VIOLATION", message, violations_json(index, violations));
  }
  return std::nullopt;
}

Task<void> EventsHandler::publish(http::Exchange& exchange, Call& call) {
  auto mode = content_mode(exchange.head().fields);
  if (!mode) {
    co_return co_await answer(exchange, call,
                              call.refusal(415, "UNSUPPORTED_MEDIA_TYPE", kHowToSend));
  }
  auto body = co_await exchange.read_body(parts_.limits.body_bytes_max);
  if (!body) co_return co_await refuse(exchange, call, body.error());
  auto events = events_from_http(*mode, exchange.head().fields, *body, parts_.limits.event);
  if (!events) {
    co_return co_await answer(exchange, call,
                              call.refusal(400, "INVALID_EVENT", events.error().text()));
  }
  if (parts_.quotas != nullptr) {
    const auto& by = *call.principal;
    Duration wait{};
    auto admitted = parts_.quotas->admit(by.tenant, by.name, body->size(), events->size(), wait);
    if (!admitted) {
      co_await answer(exchange, call, quota_problem(admitted.error(), wait, call.trace_id()));
      co_return;
    }
  }
  if (auto refused = check_events(call, *events, *mode == ContentMode::Batched)) {
    co_await answer(exchange, call, std::move(*refused));
    co_return;
  }
  std::vector<std::string> ids;
  for (const auto& event : *events) ids.push_back(*event.find("id"));
  DedupeIndex::Claims claims;
  auto known = claim(parts_.dedupe, *call.stream, *events, claims);
  if (!known) {
    auto response = call.refusal(409, "EVENT_UNDER_WAY", known.error().message);
    response.add("Retry-After", "1");
    co_await answer(exchange, call, std::move(response));
    co_return;
  }
  auto placed = place(std::move(*events), *known, call.stream->info.id, call.trace.traceparent());
  auto entry = placed.entry;
  auto appended = co_await parts_.log.append(std::move(entry));
  if (!appended) {
    co_return co_await answer(exchange, call, from_log_error(appended.error(), call.trace_id()));
  }
  claims.settle();
  published_.add(ids.size());
  http::Response done(
      201, "application/json",
      answer_json(call.stream_name, ids, placed, *appended, parts_.log.is_shared()));
  co_await answer(exchange, call, std::move(done));
}

Task<void> EventsHandler::refuse(http::Exchange& exchange, const Call& call, const Error& error) {
  refused_.add();
  if (exchange.response_started()) co_return;
  bool is_too_large = error.code == ErrorCode::ResourceExhausted;
  auto response = is_too_large ? call.refusal(413, "BODY_TOO_LARGE", error.message)
                               : call.refusal(400, "BAD_REQUEST", error.message);
  record_span(call, response.status);
  auto sent = co_await exchange.respond(response);
  std::ignore = sent;
}

Task<void> EventsHandler::answer(http::Exchange& exchange, Call& call, http::Response response) {
  if (response.status >= 400) refused_.add();
  record_span(call, response.status);
  // A caller that has gone away needs no answer; the event, if any, is stored.
  auto sent = co_await exchange.respond(response);
  std::ignore = sent;
}

void EventsHandler::record_span(const Call& call, int status) const {
  if (parts_.spans == nullptr) return;
  Span span;
  span.context = call.trace;
  span.parent_id = call.parent_id;
  span.name = "publish " + call.stream_name;
  span.kind = SpanKind::Producer;
  span.start = call.start;
  span.end = parts_.clock.now();
  span.failed = status >= 400;
  span.attributes = {{"messaging.system", "weft"},
                     {"messaging.operation.type", "publish"},
                     {"messaging.destination.name", call.stream_name},
                     {"http.response.status_code", std::to_string(status)}};
  if (call.principal) span.attributes.emplace_back("weft.tenant", call.principal->tenant);
  // Those of a batch's later events are numbered: an attribute occurs once.
  for (std::size_t i = 0; i < call.keys.size(); ++i) {
    const auto& key = call.keys[i];
    const bool is_first =
        std::ranges::none_of(std::span(call.keys).first(i),
                             [&](const auto& other) { return other.attribute == key.attribute; });
    span.attributes.emplace_back(
        is_first ? std::string(key.attribute) : fmt::format("{}.{}", key.attribute, i + 1),
        key.value);
  }
  parts_.spans->record(std::move(span));
}

}  // namespace weft::eventlog
