#include "delivery/core/webhook_request.h"

#include "delivery/core/attempt_record.h"
#include "eventlog/events/http_binding.h"

namespace weft::delivery {

namespace {

constexpr std::string_view kUserAgent = "Weft";
constexpr std::size_t kFieldsTypical = 12;

}  // namespace

std::string webhook_body(PayloadMode mode, const eventlog::EventView& event) {
  if (mode == PayloadMode::Data) return std::string(event.data().value_or(std::string_view()));
  return event.structured_json();
}

WebhookRequest webhook_request(const Subscription& subscription, std::string_view id,
                               const eventlog::EventView& event, WallTime now,
                               const TraceContext& trace) {
  WebhookRequest out;
  auto& request = out.request;
  request.method = "POST";
  request.url = subscription.url;
  request.timeout = subscription.timeout;
  request.response_bytes_max = kResponseBodyKept;
  request.body = webhook_body(subscription.payload, event);

  auto timestamp = to_unix_ms(now) / 1000;
  auto& fields = request.fields;
  fields.reserve(kFieldsTypical + subscription.headers.size());
  if (subscription.payload == PayloadMode::Data) {
    fields = eventlog::binary_fields(event);
  } else {
    fields.emplace_back("content-type", eventlog::kStructuredType);
  }
  fields.emplace_back("user-agent", kUserAgent);
  fields.emplace_back("webhook-id", id);
  fields.emplace_back("webhook-timestamp", std::to_string(timestamp));
  fields.emplace_back("traceparent", trace.traceparent());
  out.kept_headers = fields;

  fields.emplace_back("webhook-signature", sign(subscription.keys, id, timestamp, request.body));
  out.kept_headers.emplace_back("webhook-signature", kRedacted);
  for (const auto& [name, value] : subscription.headers) {
    fields.emplace_back(name, value);
    out.kept_headers.emplace_back(name, kRedacted);
  }
  return out;
}

}  // namespace weft::delivery
