#include "app/api/trace_routes.h"

#include <charconv>
#include <set>

#include "base/bytes.h"
#include "identity/decisions.h"

namespace weft::app {
namespace {

using identity::action::kAdminRead;

// Enough of the latest traces to name every service that speaks now and then.
constexpr std::size_t kTracesAskedForServices = 2000;

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

std::string_view kind_name(SpanKind kind) {
  switch (kind) {
    case SpanKind::Internal:
      return "internal";
    case SpanKind::Server:
      return "server";
    case SpanKind::Client:
      return "client";
    case SpanKind::Producer:
      return "producer";
    case SpanKind::Consumer:
      return "consumer";
  }
  return "internal";
}

// RFC 3339 with nanoseconds: spans are shorter than a millisecond.
std::string precise(WallTime time) {
  auto text = to_rfc3339(time);
  auto nanoseconds = (time - std::chrono::floor<std::chrono::seconds>(time)).count();
  return fmt::format("{}.{:09}Z", text.substr(0, text.find('.')), nanoseconds);
}

std::string_view service_of(const Span& span) {
  for (const auto& [name, value] : span.attributes) {
    if (name == "service.name") return value;
  }
  return "weft";
}

void write_span(JsonWriter& out, const Span& span) {
  out.object().member("spanId", span.context.span_id_hex()).key("parentSpanId");
  if (span.parent_id == std::array<char, 8>{})
    out.null();
  else
    out.value(to_hex({span.parent_id.data(), span.parent_id.size()}));
  out.member("name", span.name)
      .member("kind", kind_name(span.kind))
      .member("service", service_of(span))
      .member("start", precise(span.start))
      .member("end", precise(span.end))
      .member("failed", span.failed)
      .key("attributes")
      .object();
  for (const auto& [name, value] : span.attributes) out.member(name, value);
  out.end().end();
}

// That a node has nothing of a trace is an answer of it. A status 404 could be anybody's who stands
// at its address.
std::string nothing_of(std::string_view node) {
  JsonWriter out;
  out.object().member("node", node).key("spans").array().end().end();
  return std::move(out).text();
}

Task<Result<std::string>> trace_here(TraceRoutesParts& parts, std::string id, Audience audience) {
  std::function<Result<telemetry::Trace>()> work = [&parts, id] { return parts.traces.find(id); };
  auto found = co_await parts.pool.run<telemetry::Trace>(std::move(work));
  const bool is_missing = !found && found.error().code == ErrorCode::NotFound;
  if (is_missing && audience == Audience::Node) co_return nothing_of(parts.nodes->self());
  CO_TRY(auto trace, std::move(found));
  auto start = WallTime::max();
  auto end = WallTime::min();
  for (const auto& span : trace.spans) {
    start = std::min(start, span.start);
    end = std::max(end, span.end);
  }
  JsonWriter out;
  out.object()
      .member("traceId", trace.trace_id)
      .member("start", precise(start))
      .member("durationMs", milliseconds(end - start))
      .member("partial", !trace.is_complete)
      .key("spans")
      .array();
  for (const auto& span : trace.spans) write_span(out, span);
  out.end();
  if (audience == Audience::Node) out.member("node", parts.nodes->self());
  out.end();
  co_return std::move(out).text();
}

http::Response as_answer(std::string json) {
  return http::Response(200, "application/json", std::move(json));
}

Result<> check_trace_found(const std::string& id, const NodeAnswers& answers) {
  std::string silent;
  for (const auto& [node, why] : answers.failures) {
    if (why.code == ErrorCode::Conflict || why.code == ErrorCode::InvalidArgument)
      return std::unexpected(why);
    silent += fmt::format("; node {} did not answer: {}", node, why.message);
  }
  std::string_view found;
  for (const auto& page : answers.pages) {
    const auto* id_there = page.json.root().find("traceId");
    if (id_there == nullptr) continue;
    const auto trace_id = id_there->as_string();
    if (!found.empty() && trace_id != found) {
      return fail(ErrorCode::Conflict, "several traces begin with {}: give more digits", id);
    }
    found = trace_id;
  }
  if (found.empty()) return fail(ErrorCode::NotFound, "no trace {} is stored{}", id, silent);
  return {};
}

Task<Result<http::Response>> get_trace(TraceRoutesParts& parts, ApiCall& call) {
  auto id = call.captures[0];
  CO_TRY(auto choice, parts.nodes->choose(call));
  if (choice.is_plain) {
    CO_TRY(auto json, co_await trace_here(parts, id, audience_of(call)));
    co_return as_answer(std::move(json));
  }
  NodeQueries::Local local = [&parts, id] { return trace_here(parts, id, Audience::Node); };
  NodeQueries::QueryFor query_for = [](std::string_view) { return NodeQueries::Pairs(); };
  auto path = "/traces/" + http::percent_encode(id);
  auto answers = co_await parts.nodes->ask(call, std::move(choice), std::move(path),
                                           std::move(local), std::move(query_for));
  CO_CHECK(check_trace_found(id, answers));
  JsonWriter out;
  out.object();
  merge_trace(out, answers.pages);
  write_node_states(out, answers.pages, answers.failures);
  out.end();
  co_return json_answer(std::move(out));
}

// A whole trace id; anything shorter may be a word.
bool is_trace_id(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<Duration> read_duration_min(const ApiCall& call) {
  constexpr double kMillisecondsMax = 86'400'000;
  auto text = call.parameter("minDurationMs").value_or("0");
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() ||
      !(number >= 0 && number <= kMillisecondsMax)) {
    return fail(ErrorCode::InvalidArgument,
                "?minDurationMs= must be a number of milliseconds from 0 to {:.0f}, not '{}'",
                kMillisecondsMax, text);
  }
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(number));
}

// The newest traces that fit; text that is no id is looked for in names and values.
Result<telemetry::TraceQuery> read_query(const ApiCall& call, WallTime now) {
  telemetry::TraceQuery query;
  query.service = call.parameter("service").value_or("");
  query.route = call.parameter("route").value_or("");
  query.business_key = call.parameter("key").value_or("");
  TRY(query.since, read_moment(call, "since", now));
  TRY(query.before, read_moment(call, "until", now));
  TRY(query.failed_only, call.flag("errorsOnly"));
  TRY(query.duration_min, read_duration_min(call));
  TRY(query.limit, call.limit());
  TRY(auto cursor, read_cursor(call));
  std::int64_t before = 0;
  if (!cursor.empty() &&
      std::from_chars(cursor.data(), cursor.data() + cursor.size(), before).ec == std::errc()) {
    query.before = WallTime(Duration(before));
  }
  if (auto text = call.parameter("q"); text && !text->empty()) {
    if (is_trace_id(*text))
      query.id_prefix = *text;
    else
      query.text = *text;
  }
  return query;
}

Task<Result<std::string>> traces_here(TraceRoutesParts& parts, telemetry::TraceQuery query,
                                      Audience audience) {
  using Traces = std::vector<telemetry::TraceSummary>;
  struct Found {
    Traces traces;
    std::set<std::string> services;  // of all traces, whatever is asked for
  };
  std::function<Result<Found>()> work = [&parts, query]() -> Result<Found> {
    Found all;
    all.traces = parts.traces.search(query);
    telemetry::TraceQuery any;
    any.limit = kTracesAskedForServices;
    for (const auto& trace : parts.traces.search(any))
      all.services.insert(trace.services.begin(), trace.services.end());
    return all;
  };
  CO_TRY(auto result, co_await parts.pool.run<Found>(std::move(work)));
  const auto& [found, services] = result;
  JsonWriter out;
  out.object().key("items").array();
  for (const auto& trace : found) {
    out.object()
        .member("traceId", trace.trace_id)
        .member("name", trace.name)
        .member("start", precise(trace.start))
        .member("durationMs", milliseconds(trace.duration))
        .member("spanCount", trace.span_count)
        .member("failed", trace.failed_count > 0)
        .member("partial", !trace.is_complete);
    if (!trace.route.empty()) out.member("route", trace.route);
    if (!trace.business_keys.empty()) {
      out.key("businessKeys").array();
      for (const auto& key : trace.business_keys) out.value(key);
      out.end();
    }
    out.key("services").array();
    for (const auto& service : trace.services) out.value(service);
    out.end().end();
  }
  out.end().key("services").array();
  for (const auto& service : services) out.value(service);
  out.end();
  if (found.size() == query.limit) {
    out.member("nextCursor",
               make_cursor(std::to_string(found.back().position.time_since_epoch().count())));
  }
  if (audience == Audience::Node) {
    out.member("node", parts.nodes->self()).key("positions").array();
    for (const auto& trace : found) out.value(trace.position.time_since_epoch().count());
    out.end();
  }
  out.end();
  co_return std::move(out).text();
}

Task<Result<http::Response>> list_traces(TraceRoutesParts& parts, ApiCall& call) {
  CO_TRY(auto query, read_query(call, parts.clock.now()));
  CO_TRY(auto choice, parts.nodes->choose(call));
  if (choice.is_plain) {
    CO_TRY(auto json, co_await traces_here(parts, query, audience_of(call)));
    co_return as_answer(std::move(json));
  }
  NodeQueries::Local local = [&parts, query] { return traces_here(parts, query, Audience::Node); };
  // The position in the list is a moment, the same for all.
  NodeQueries::QueryFor query_for = [&call](std::string_view) {
    auto pairs = passed_on(call);
    if (auto cursor = call.parameter("cursor")) pairs.emplace_back("cursor", *cursor);
    return pairs;
  };
  auto answers = co_await parts.nodes->ask(call, std::move(choice), "/traces", std::move(local),
                                           std::move(query_for));
  co_return merged(answers,
                   [&](JsonWriter& out) { merge_traces(out, answers.pages, query.limit); });
}

}  // namespace

std::vector<ApiRoute> trace_routes(TraceRoutesParts& parts) {
  return {{"GET", "/traces", "listTraces", kAdminRead,
           [&parts](ApiCall& call) { return list_traces(parts, call); }, Reach::Node},
          {"GET", "/traces/{traceId}", "getTrace", kAdminRead,
           [&parts](ApiCall& call) { return get_trace(parts, call); }, Reach::Node}};
}

}  // namespace weft::app
