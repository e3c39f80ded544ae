#include "telemetry/otlp_receiver.h"

#include "base/json_writer.h"
#include "http/api_key.h"
#include "telemetry/core/otlp_decode.h"
#include "telemetry/core/otlp_encode.h"

namespace weft::telemetry {

namespace {

constexpr std::string_view kProtobufType = "application/x-protobuf";
constexpr std::string_view kJsonType = "application/json";
// Of google.rpc.Code.
constexpr int kCodeInvalidArgument = 3;
constexpr int kCodeNotFound = 5;
constexpr int kCodeResourceExhausted = 8;
constexpr int kCodeUnauthenticated = 16;

struct Door {
  std::string_view path;
  OtlpSignal signal;
  std::string_view rejected;  // member of the partial success
};

constexpr Door kDoors[] = {{"/v1/traces", OtlpSignal::Traces, "rejectedSpans"},
                           {"/v1/metrics", OtlpSignal::Metrics, "rejectedDataPoints"},
                           {"/v1/logs", OtlpSignal::Logs, "rejectedLogRecords"}};

std::string encoded(JsonWriter json, const WireMessage& message, bool is_json) {
  auto text = std::move(json).text();
  return is_json ? text : otlp_protobuf_of(message, std::move(text));
}

// An Export…ServiceResponse.
std::string response_body(const Door& door, const OtlpOutcome& outcome, bool is_json) {
  JsonWriter out;
  out.object();
  if (outcome.rejected > 0) {
    out.key("partialSuccess").object().member(door.rejected, std::to_string(outcome.rejected));
    out.member("errorMessage", outcome.reason).end();
  }
  out.end();
  return encoded(std::move(out), response_message(door.signal), is_json);
}

// A google.rpc.Status.
http::Response status_response(int status, int code, std::string_view message, bool is_json) {
  JsonWriter out;
  out.object().member("code", code).member("message", message).end();
  return http::Response(status, std::string(is_json ? kJsonType : kProtobufType),
                        encoded(std::move(out), status_message(), is_json));
}

std::string_view media_type(const http::RequestHead& head) {
  auto type = head.find("Content-Type").value_or(std::string_view());
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return type;
}

// As Weft's own lines are, with the sender's service for the module.
std::string line_of(const ReceivedLog& log, WallTime now) {
  JsonWriter out;
  out.object()
      .member("time", to_rfc3339(log.time == WallTime() ? now : log.time))
      .member("level", name(log.level));
  out.member("module", log.service.empty() ? std::string_view("unknown_service")
                                           : std::string_view(log.service));
  out.member("message", log.body);
  if (!log.trace_id.empty()) out.member("trace_id", log.trace_id);
  if (!log.span_id.empty()) out.member("span_id", log.span_id);
  for (const auto& [key, value] : log.attributes) {
    if (key != "weft.business_key") continue;
    out.member("business_key", value);
    break;
  }
  if (!log.scope.empty()) out.member("scope", log.scope);
  if (!log.attributes.empty()) {
    out.key("attributes").object();
    for (const auto& [key, value] : log.attributes) out.member(key, value);
    out.end();
  }
  out.end();
  return std::move(out).text() + "\n";
}

Result<OtlpOutcome> store(const Door& door, const Json& request, const OtlpReceiverParts& parts) {
  const auto now = parts.clock.now();
  switch (door.signal) {
    case OtlpSignal::Traces:
      return read_otlp_spans(request, [&](Span span) { parts.spans.record(std::move(span)); });
    case OtlpSignal::Metrics:
      return read_otlp_metrics(
          request, [&](ReceivedPoint point) { return parts.metrics.store(std::move(point), now); });
    case OtlpSignal::Logs:
      break;
  }
  auto outcome = read_otlp_logs(request, [&](const ReceivedLog& log) {
    if (parts.logs != nullptr) parts.logs->take(log.level, line_of(log, now));
  });
  if (outcome && parts.logs == nullptr && outcome->accepted > 0) {
    *outcome = {0, outcome->accepted + outcome->rejected,
                "no log lines are kept: telemetry.logDiskBytesMax is 0"};
  }
  return outcome;
}

}  // namespace

OtlpReceiver::OtlpReceiver(OtlpReceiverParts parts)
    : parts_(std::move(parts)),
      accepted_(parts_.own_metrics.counter("weft_telemetry_received_items_total",
                                           "Spans, data points and log records taken by OTLP")),
      rejected_(
          parts_.own_metrics.counter("weft_telemetry_rejected_items_total",
                                     "Spans, data points and log records that could not be kept")),
      refused_(parts_.own_metrics.counter("weft_telemetry_refused_requests_total",
                                          "OTLP requests that were refused whole")) {}

http::Response OtlpReceiver::answer(const http::RequestHead& head, std::string_view body) {
  const bool is_json = media_type(head) == kJsonType;
  auto refuse = [&](int status, int code, std::string_view message) {
    refused_.add();
    return status_response(status, code, message, is_json);
  };
  const auto* door = std::ranges::find(kDoors, head.path, &Door::path);
  if (door == std::end(kDoors))
    return refuse(404, kCodeNotFound, "the paths are /v1/traces, /v1/metrics and /v1/logs");
  if (head.method != "POST") {
    return refuse(405, kCodeInvalidArgument, "OTLP is sent by POST").add("Allow", "POST");
  }
  if (auto allowed = parts_.authenticate(http::api_key_of(head)); !allowed) {
    return refuse(401, kCodeUnauthenticated, allowed.error().message)
        .add("WWW-Authenticate", "Bearer");
  }
  if (!is_json && media_type(head) != kProtobufType) {
    return refuse(415, kCodeInvalidArgument,
                  "the media type is application/x-protobuf or application/json");
  }
  auto coding = head.find("Content-Encoding").value_or("identity");
  if (coding != "identity" && coding != "gzip") {
    return refuse(415, kCodeInvalidArgument, "the content coding is gzip, or none");
  }
  std::string unpacked;
  if (coding == "gzip") {
    auto plain = parts_.gunzip(body, kOtlpBodyBytesMax);
    if (!plain) return refuse(400, kCodeInvalidArgument, plain.error().message);
    unpacked = std::move(*plain);
    body = unpacked;
  }
  auto text = is_json ? Result<std::string>(std::string(body)) : otlp_json_of(door->signal, body);
  if (!text) return refuse(400, kCodeInvalidArgument, text.error().message);
  auto request = JsonDocument::parse(std::move(*text));
  if (!request) return refuse(400, kCodeInvalidArgument, request.error().message);
  auto outcome = store(*door, request->root(), parts_);
  if (!outcome) return refuse(400, kCodeInvalidArgument, outcome.error().message);
  accepted_.add(outcome->accepted);
  rejected_.add(outcome->rejected);
  return http::Response(200, std::string(is_json ? kJsonType : kProtobufType),
                        response_body(*door, *outcome, is_json));
}

Task<void> OtlpReceiver::handle(http::Exchange& exchange) {
  auto body = co_await exchange.read_body(kOtlpBodyBytesMax);
  if (!body && exchange.response_started()) co_return;
  http::Response response;
  if (body) {
    response = answer(exchange.head(), *body);
  } else {
    refused_.add();
    const bool is_too_large = body.error().code == ErrorCode::ResourceExhausted;
    response = status_response(is_too_large ? 413 : 400,
                               is_too_large ? kCodeResourceExhausted : kCodeInvalidArgument,
                               body.error().message, media_type(exchange.head()) == kJsonType);
  }
  auto sent = co_await exchange.respond(response);
  std::ignore = sent;  // a sender that has gone away needs no answer
}

}  // namespace weft::telemetry
