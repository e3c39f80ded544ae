#include "app/api/delivery_routes.h"

#include "app/api/audited.h"
#include "app/api/record_json.h"
#include "identity/decisions.h"

namespace weft::app {
namespace {

using identity::action::kAdminRead;
using identity::action::kAdminRedrive;

void write_time(JsonWriter& out, std::string_view name, const std::optional<WallTime>& time) {
  if (time) out.member(name, to_rfc3339(*time));
}

void write_text(JsonWriter& out, std::string_view name, const std::string& text) {
  if (!text.empty()) out.member(name, text);
}

void write_subscription(JsonWriter& out, const delivery::SubscriptionStatus& status) {
  out.object()
      .member("name", status.name)
      .member("owner", status.owner)
      .member("stream", fmt::format("{}", fmt::join(status.streams, ", ")))
      .member("url", status.url)
      .member("status", delivery::name(status.state))
      .member("pending", status.in_flight)
      .member("held", status.held)
      .member("failing", status.failing)
      .member("dead", status.dead)
      .member("delivered", status.delivered)
      .member("lagRecords", status.lag_records)
      .member("attemptsMax", status.attempts_max)
      .member("maxAgeSeconds", std::chrono::duration<double>(status.age_max).count());
  write_text(out, "filter", status.filter);
  write_text(out, "statusReason", status.state_reason);
  if (status.lag_time)
    out.member("lagSeconds", std::chrono::duration<double>(*status.lag_time).count());
  out.key("successRate");
  if (status.attempts_recent > 0) {
    out.value(1.0 - static_cast<double>(status.failures_recent) /
                        static_cast<double>(status.attempts_recent));
  } else {
    out.null();
  }
  write_time(out, "lastAttemptAt", status.last_attempt);
  write_time(out, "lastSuccessAt", status.last_success);
  write_time(out, "lastFailureAt", status.last_failure);
  write_text(out, "lastError", status.last_error);
  out.end();
}

void write_delivery(JsonWriter& out, const delivery::DeliverySummary& summary) {
  out.object()
      .member("id", summary.id)
      .member("subscription", summary.subscription)
      .member("stream", summary.stream)
      .member("partition", summary.partition)
      .member("offset", summary.offset)
      .member("status", delivery::name(summary.status))
      .member("attempts", summary.attempts)
      .member("createdAt", to_rfc3339(summary.created));
  write_text(out, "eventId", summary.event_id);
  write_text(out, "eventType", summary.event_type);
  write_time(out, "lastAttemptAt", summary.last_attempt);
  write_time(out, "nextAttemptAt", summary.next_attempt);
  if (summary.last_status > 0) out.member("lastStatus", summary.last_status);
  write_text(out, "lastError", summary.last_error);
  write_text(out, "deadReason", summary.dead_reason);
  write_text(out, "traceId", summary.trace_id);
  out.end();
}

void write_headers(JsonWriter& out, const delivery::HeaderList& headers) {
  out.key("headers").array();
  for (const auto& [name, value] : headers)
    out.object().member("name", name).member("value", value).end();
  out.end();
}

void write_attempt(JsonWriter& out, const delivery::AttemptDetail& attempt,
                   const std::optional<std::string>& request_body) {
  out.object()
      .member("number", attempt.number)
      .member("startedAt", to_rfc3339(attempt.started))
      .member("durationMs", std::chrono::duration<double, std::milli>(attempt.duration).count())
      .member("outcome", attempt.delivered ? "delivered" : "failed")
      .key("request")
      .object()
      .member("method", attempt.method)
      .member("url", attempt.url);
  write_headers(out, attempt.request_headers);
  if (request_body) out.member("body", shown_text(*request_body));
  out.end();
  if (attempt.status > 0) {
    out.key("response").object().member("status", attempt.status);
    write_headers(out, attempt.response_headers);
    out.member("body", shown_text(attempt.response_body))
        .member("bodyCut", attempt.response_body_cut)
        .end();
  } else {
    out.member("error", attempt.error.empty() ? attempt.reason : attempt.error);
  }
  write_time(out, "nextAttemptAt", attempt.next_attempt);
  out.end();
}

Task<Result<http::Response>> list_subscriptions(DeliveryRoutesParts& parts, ApiCall& call) {
  CO_TRY(auto limit, call.limit());
  CO_TRY(auto after, read_cursor(call));
  auto all = co_await parts.delivery.subscriptions(std::string(call.tenant()));
  JsonWriter out;
  out.object().key("items").array();
  std::size_t shown = 0;
  std::string last;
  bool more = false;
  for (const auto& status : all) {
    if (status.name <= after) continue;
    if (shown == limit) {
      more = true;
      break;
    }
    write_subscription(out, status);
    last = status.name;
    ++shown;
  }
  out.end();
  if (more) out.member("nextCursor", make_cursor(last));
  out.end();
  co_return json_answer(std::move(out));
}

Task<Result<http::Response>> get_subscription(DeliveryRoutesParts& parts, ApiCall& call) {
  CO_TRY(auto status,
         co_await parts.delivery.subscription(std::string(call.tenant()), call.captures[0]));
  JsonWriter out;
  write_subscription(out, status);
  co_return json_answer(std::move(out));
}

// What is not dead, or has nowhere to go, is a conflict with the state of things.
Result<http::Response> refused_redrive(const Error& error, const ApiCall& call) {
  if (error.code != ErrorCode::FailedPrecondition) return std::unexpected(error);
  return http::problem(409, "CONFLICT", error.message, call.trace.trace_id_hex());
}

Task<Result<http::Response>> redrive_all(DeliveryRoutesParts& parts, ApiCall& call) {
  auto count = co_await parts.delivery.redrive_all(std::string(call.tenant()), call.captures[0],
                                                   call.principal->id);
  if (!count) co_return refused_redrive(count.error(), call);
  JsonWriter out;
  out.object().member("redriven", *count).end();
  co_await note_in_audit(parts.audit, call, "subscription.redrive",
                         "Subscription " + call.captures[0], out.text());
  co_return json_answer(std::move(out), 202);
}

Task<Result<http::Response>> list_deliveries(DeliveryRoutesParts& parts, ApiCall& call) {
  delivery::DeliveryQuery query;
  query.tenant = call.tenant();
  query.subscription = call.parameter("subscription").value_or("");
  query.event_id = call.parameter("eventId").value_or("");
  if (auto status = call.parameter("status"); status && !status->empty()) {
    query.status = delivery::parse_delivery_status(*status);
    if (!query.status) {
      co_return fail(ErrorCode::InvalidArgument,
                     "?status= is pending, failing, delivered or dead, not '{}'", *status);
    }
  }
  CO_TRY(query.limit, call.limit());
  query.cursor = call.parameter("cursor").value_or("");
  auto page = parts.delivery.list(query);
  JsonWriter out;
  out.object().key("items").array();
  for (const auto& summary : page.items) write_delivery(out, summary);
  out.end();
  if (!page.next_cursor.empty()) out.member("nextCursor", page.next_cursor);
  out.end();
  co_return json_answer(std::move(out));
}

Task<Result<http::Response>> get_delivery(DeliveryRoutesParts& parts, ApiCall& call) {
  CO_TRY(auto detail, co_await parts.delivery.show(std::string(call.tenant()), call.captures[0]));
  JsonWriter out;
  out.object().key("delivery");
  write_delivery(out, detail.delivery);
  if (detail.event) {
    out.key("event");
    write_record(out, detail.delivery.partition, *detail.event, 65'536);
  }
  out.key("attempts").array();
  for (const auto& attempt : detail.attempts) write_attempt(out, attempt, detail.request_body);
  out.end().end();
  co_return json_answer(std::move(out));
}

Task<Result<http::Response>> redrive(DeliveryRoutesParts& parts, ApiCall& call) {
  auto summary = co_await parts.delivery.redrive(std::string(call.tenant()), call.captures[0],
                                                 call.principal->id);
  if (!summary) co_return refused_redrive(summary.error(), call);
  co_await note_in_audit(parts.audit, call, "delivery.redrive", "Delivery " + call.captures[0]);
  JsonWriter out;
  write_delivery(out, *summary);
  co_return json_answer(std::move(out), 202);
}

}  // namespace

std::vector<ApiRoute> delivery_routes(DeliveryRoutesParts& parts) {
  auto with = [&parts](Task<Result<http::Response>> (*handler)(DeliveryRoutesParts&,
                                                               ApiCall&)) -> ApiHandler {
    return [&parts, handler](ApiCall& call) { return handler(parts, call); };
  };
  return {
      {"GET", "/subscriptions", "listSubscriptions", kAdminRead, with(list_subscriptions)},
      {"GET", "/subscriptions/{subscription}", "getSubscription", kAdminRead,
       with(get_subscription)},
      {"POST", "/subscriptions/{subscription}/redrive", "redriveSubscription", kAdminRedrive,
       with(redrive_all)},
      {"GET", "/deliveries", "listDeliveries", kAdminRead, with(list_deliveries)},
      {"GET", "/deliveries/{delivery}", "getDelivery", kAdminRead, with(get_delivery)},
      {"POST", "/deliveries/{delivery}/redrive", "redriveDelivery", kAdminRedrive, with(redrive)},
  };
}

}  // namespace weft::app
