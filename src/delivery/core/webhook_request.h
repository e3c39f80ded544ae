// The HTTP request of one attempt: body, envelope, signature, trace. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "delivery/delivery_types.h"
#include "delivery/subscription.h"
#include "eventlog/events/event_view.h"
#include "http/client.h"
#include "runtime/spans.h"

namespace weft::delivery {

struct WebhookRequest {
  http::ClientRequest request;
  HeaderList
      kept_headers;  // for the attempt's record: signature and the document's own fields hidden
};

// `id` is the delivery's, the same for each attempt.
WebhookRequest webhook_request(const Subscription& subscription, std::string_view id,
                               const eventlog::EventView& event, WallTime now,
                               const TraceContext& trace);

// The body alone: what show() tells was sent.
std::string webhook_body(PayloadMode mode, const eventlog::EventView& event);

}  // namespace weft::delivery
