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

// Whose deliveries are asked for: a node asks for its caller's.
constexpr std::string_view kOfTenant = "ofTenant";

std::string tenant_of(const ApiCall& call) {
  if (call.from_node) return std::string(call.parameter(kOfTenant).value_or(call.tenant()));
  return std::string(call.tenant());
}

NodeQueries::Pairs asked_of_nodes(const ApiCall& call) {
  auto pairs = passed_on(call);
  // Whatever the caller wrote there: it is not his to say.
  std::erase_if(pairs, [](const auto& pair) { return pair.first == kOfTenant; });
  pairs.emplace_back(kOfTenant, call.tenant());
  return pairs;
}

// Nothing: this node knows all there is, or is asked for its own alone.
Result<std::optional<NodeChoice>> nodes_to_ask(const DeliveryRoutesParts& parts,
                                               const ApiCall& call) {
  if (parts.nodes == nullptr) return std::optional<NodeChoice>();
  TRY(auto choice, parts.nodes->choose(call));
  return choice.is_plain ? std::nullopt : std::optional(std::move(choice));
}

void write_own_node(JsonWriter& out, const DeliveryRoutesParts& parts) {
  if (parts.nodes != nullptr) out.member("node", parts.nodes->self());
}

std::string subscriptions_text(const DeliveryRoutesParts& parts,
                               const std::vector<delivery::SubscriptionStatus>& all) {
  JsonWriter out;
  out.object();
  write_own_node(out, parts);
  out.key("items").array();
  for (const auto& status : all) write_subscription(out, status);
  out.end().end();
  return std::move(out).text();
}

Task<Result<std::string>> own_subscriptions(DeliveryRoutesParts& parts, std::string tenant) {
  co_return subscriptions_text(parts, co_await parts.delivery.subscriptions(std::move(tenant)));
}

// Each as the node tells of it that carries it out.
Task<NodeAnswers> ask_for_subscriptions(DeliveryRoutesParts& parts, ApiCall& call,
                                        NodeChoice choice) {
  NodeQueries::Local local = [&parts, tenant = tenant_of(call)] {
    return own_subscriptions(parts, tenant);
  };
  NodeQueries::QueryFor query_for = [&call](std::string_view) { return asked_of_nodes(call); };
  return parts.nodes->ask(call, std::move(choice), "/subscriptions", std::move(local),
                          std::move(query_for));
}

Task<Result<http::Response>> list_subscriptions(DeliveryRoutesParts& parts, ApiCall& call) {
  CO_TRY(auto limit, call.limit());
  CO_TRY(auto after, read_cursor(call));
  CO_TRY(auto choice, nodes_to_ask(parts, call));
  if (choice) {
    const auto answers = co_await ask_for_subscriptions(parts, call, *std::move(choice));
    co_return merged(answers, [&](JsonWriter& out) {
      const auto last = merge_subscriptions(out, answers.pages, after, limit);
      if (last) out.member("nextCursor", make_cursor(*last));
    });
  }
  auto all = co_await parts.delivery.subscriptions(tenant_of(call));
  if (call.from_node)
    co_return http::Response(200, "application/json", subscriptions_text(parts, all));
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
  const auto& name = call.captures[0];
  CO_TRY(auto status, co_await parts.delivery.subscription(tenant_of(call), name));
  if (status.state == delivery::SubscriptionState::Elsewhere) {
    CO_TRY(auto choice, nodes_to_ask(parts, call));
    if (choice) {
      const auto answers = co_await ask_for_subscriptions(parts, call, *std::move(choice));
      if (auto found = find_subscription(answers.pages, name))
        co_return http::Response(200, "application/json", *std::move(found));
    }
  }
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

Result<delivery::DeliveryQuery> read_delivery_query(const ApiCall& call) {
  delivery::DeliveryQuery query;
  query.tenant = tenant_of(call);
  query.subscription = call.parameter("subscription").value_or("");
  query.event_id = call.parameter("eventId").value_or("");
  if (auto status = call.parameter("status"); status && !status->empty()) {
    query.status = delivery::parse_delivery_status(*status);
    if (!query.status) {
      return fail(ErrorCode::InvalidArgument,
                  "?status= is pending, failing, delivered or dead, not '{}'", *status);
    }
  }
  TRY(query.limit, call.limit());
  query.cursor = call.parameter("cursor").value_or("");
  return query;
}

std::string deliveries_text(const DeliveryRoutesParts& parts, const delivery::DeliveryQuery& query,
                            Audience audience) {
  const auto page = parts.delivery.list(query);
  JsonWriter out;
  out.object().key("items").array();
  for (const auto& summary : page.items) write_delivery(out, summary);
  out.end();
  if (!page.next_cursor.empty()) out.member("nextCursor", page.next_cursor);
  if (audience == Audience::Node) {
    write_own_node(out, parts);
    out.key("positions").array();
    for (const auto& position : page.positions) out.value(position);
    out.end();
  }
  out.end();
  return std::move(out).text();
}

Task<Result<std::string>> own_deliveries(DeliveryRoutesParts& parts,
                                         delivery::DeliveryQuery query) {
  co_return deliveries_text(parts, query, Audience::Node);
}

Task<Result<http::Response>> list_deliveries(DeliveryRoutesParts& parts, ApiCall& call) {
  CO_TRY(auto query, read_delivery_query(call));
  CO_TRY(auto choice, nodes_to_ask(parts, call));
  if (!choice) {
    co_return http::Response(200, "application/json",
                             deliveries_text(parts, query, audience_of(call)));
  }
  const auto asked = read_node_cursors(query.cursor).value_or(NodeCursors());
  const auto cursor_at = [&asked](std::string_view node) {
    const auto found = asked.find(node);
    return found == asked.end() ? std::string() : found->second;
  };
  query.cursor = cursor_at(parts.nodes->self());
  NodeQueries::Local local = [&parts, &query] { return own_deliveries(parts, query); };
  NodeQueries::QueryFor query_for = [&call, &cursor_at](std::string_view node) {
    auto pairs = asked_of_nodes(call);
    if (auto cursor = cursor_at(node); !cursor.empty())
      pairs.emplace_back("cursor", std::move(cursor));
    return pairs;
  };
  const auto answers = co_await parts.nodes->ask(call, *std::move(choice), "/deliveries",
                                                 std::move(local), std::move(query_for));
  co_return merged(
      answers, [&](JsonWriter& out) { merge_deliveries(out, answers.pages, query.limit, asked); });
}

std::string delivery_text(const DeliveryRoutesParts& parts,
                          const delivery::DeliveryDetail& detail) {
  JsonWriter out;
  out.object();
  write_own_node(out, parts);
  out.key("delivery");
  write_delivery(out, detail.delivery);
  if (detail.event) {
    out.key("event");
    write_record(out, detail.delivery.partition, *detail.event, 65'536);
  }
  out.key("attempts").array();
  for (const auto& attempt : detail.attempts) write_attempt(out, attempt, detail.request_body);
  out.end().end();
  return std::move(out).text();
}

Task<Result<http::Response>> get_delivery(DeliveryRoutesParts& parts, ApiCall& call) {
  const auto& id = call.captures[0];
  auto detail = co_await parts.delivery.show(tenant_of(call), id);
  if (detail) co_return http::Response(200, "application/json", delivery_text(parts, *detail));
  CO_TRY(auto choice, nodes_to_ask(parts, call));
  if (!choice || detail.error().code != ErrorCode::NotFound)
    co_return std::unexpected(std::move(detail).error());
  choice->has_self = false;
  NodeQueries::QueryFor query_for = [&call](std::string_view) { return asked_of_nodes(call); };
  const auto path = "/deliveries/" + http::percent_encode(id);
  const auto answers =
      co_await parts.nodes->ask(call, *std::move(choice), path, {}, std::move(query_for));
  if (answers.pages.empty()) co_return std::unexpected(std::move(detail).error());
  co_return http::Response(200, "application/json",
                           std::string(answers.pages[0].json.root().raw()));
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
