#include "app/api/log_routes.h"

#include <charconv>

#include "base/bytes.h"
#include "identity/decisions.h"

namespace weft::app {
namespace {

// So many traces of a business key have their lines shown with it.
constexpr std::size_t kTracesOfKeyMax = 500;

Result<LogLevel> read_level(const ApiCall& call) {
  auto text = call.parameter("level").value_or("");
  if (text.empty()) return LogLevel::Debug;
  for (auto level : {LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error}) {
    if (text == name(level)) return level;
  }
  return fail(ErrorCode::InvalidArgument, "?level= must be debug, info, warn or error, not '{}'",
              text);
}

std::string position_text(telemetry::LogPosition position) {
  return make_cursor(fmt::format("{}:{}", position.file, position.offset));
}

Result<std::optional<telemetry::LogPosition>> read_position(std::string_view given,
                                                            std::string_view parameter) {
  if (given.empty()) return std::nullopt;
  auto text = from_base64url(given).value_or(std::string());
  telemetry::LogPosition position;
  const char* end = text.data() + text.size();
  auto file = std::from_chars(text.data(), end, position.file);
  if (file.ec == std::errc() && file.ptr != end && *file.ptr == ':') {
    auto offset = std::from_chars(file.ptr + 1, end, position.offset);
    if (offset.ec == std::errc() && offset.ptr == end)
      return std::optional<telemetry::LogPosition>(position);
  }
  return fail(ErrorCode::InvalidArgument, "?{}= is not one that a list gave", parameter);
}

Result<telemetry::LogQuery> read_log_query(const ApiCall& call, WallTime now) {
  telemetry::LogQuery query;
  TRY(query.since, read_moment(call, "since", now));
  TRY(query.until, read_moment(call, "until", now));
  TRY(query.level, read_level(call));
  query.module = call.parameter("module").value_or("");
  query.trace_id = call.parameter("trace").value_or("");
  query.text = call.parameter("text").value_or("");
  query.business_key = call.parameter("key").value_or("");
  TRY(query.limit, call.limit());
  return query;
}

// Lines that name a trace of the key belong to it as those that name the key.
Result<telemetry::LogPage> search_logs(LogRoutesParts& parts, telemetry::LogQuery query) {
  if (!query.business_key.empty()) {
    telemetry::TraceQuery of_key;
    of_key.business_key = query.business_key;
    of_key.limit = kTracesOfKeyMax;
    for (const auto& trace : parts.traces.search(of_key)) query.key_traces.insert(trace.trace_id);
  }
  return parts.logs->search(query, parts.clock.now());
}

// Where a list goes on, at one node.
struct LogStart {
  std::string cursor;
  std::string after;
};

Task<Result<std::string>> logs_here(LogRoutesParts& parts, telemetry::LogQuery query,
                                    LogStart start, Audience audience) {
  if (parts.logs == nullptr) {
    co_return fail(ErrorCode::FailedPrecondition,
                   "no log lines are kept: telemetry.logDiskBytesMax is 0");
  }
  CO_TRY(query.before, read_position(start.cursor, "cursor"));
  CO_TRY(query.after, read_position(start.after, "after"));
  std::function<Result<telemetry::LogPage>()> work = [&parts, query] {
    return search_logs(parts, query);
  };
  CO_TRY(auto page, co_await parts.pool.run<telemetry::LogPage>(std::move(work)));
  JsonWriter out;
  out.object().key("items").array();
  for (const auto& line : page.lines) out.raw(line.json);
  out.end().member("end", position_text(page.end));
  if (page.has_more && !query.after)
    out.member("nextCursor", position_text(page.lines.back().position));
  if (audience == Audience::Node) {
    out.member("node", parts.nodes->self()).key("positions").array();
    for (const auto& line : page.lines) out.value(position_text(line.position));
    out.end();
  }
  out.end();
  co_return std::move(out).text();
}

std::string parameter_text(const ApiCall& call, std::string_view name) {
  return std::string(call.parameter(name).value_or(""));
}

// The nodes' own positions. One that this node gave while it knew no other is its own.
NodeCursors cursors_of(const LogRoutesParts& parts, const std::string& given) {
  if (given.empty()) return {};
  if (auto cursors = read_node_cursors(given)) return *std::move(cursors);
  return {{std::string(parts.nodes->self()), given}};
}

std::string cursor_at(const NodeCursors& cursors, std::string_view node) {
  auto found = cursors.find(node);
  return found == cursors.end() ? std::string() : found->second;
}

LogStart start_here(const LogRoutesParts& parts, const ApiCall& call) {
  auto cursors = cursors_of(parts, parameter_text(call, "cursor"));
  auto after = cursors_of(parts, parameter_text(call, "after"));
  return {cursor_at(cursors, parts.nodes->self()), cursor_at(after, parts.nodes->self())};
}

// The lines behind a position. A node that has none yet, since it came later or did not answer
// before, tells where its log ends: it is followed from there on.
Task<Result<http::Response>> follow_logs(LogRoutesParts& parts, ApiCall& call, NodeChoice choice,
                                         telemetry::LogQuery query) {
  const auto asked = cursors_of(parts, parameter_text(call, "after"));
  const std::string self(parts.nodes->self());
  LogStart start{{}, cursor_at(asked, self)};
  if (start.after.empty()) query.limit = 1;
  NodeQueries::Local local = [&parts, query, start] {
    return logs_here(parts, query, start, Audience::Node);
  };
  NodeQueries::QueryFor query_for = [&call, &asked](std::string_view node) {
    auto pairs = passed_on(call);
    auto after = cursor_at(asked, node);
    if (after.empty()) {
      std::erase_if(pairs, [](const auto& pair) { return pair.first == "limit"; });
      pairs.emplace_back("limit", "1");
    } else {
      pairs.emplace_back("after", std::move(after));
    }
    return pairs;
  };
  auto answers = co_await parts.nodes->ask(call, std::move(choice), "/logs", std::move(local),
                                           std::move(query_for));
  co_return merged(answers, [&](JsonWriter& out) { merge_new_logs(out, answers.pages, asked); });
}

Task<Result<http::Response>> list_logs(LogRoutesParts& parts, ApiCall& call) {
  CO_TRY(auto query, read_log_query(call, parts.clock.now()));
  CO_TRY(auto choice, parts.nodes->choose(call));
  if (choice.is_plain) {
    auto start = start_here(parts, call);
    CO_TRY(auto json, co_await logs_here(parts, query, std::move(start), audience_of(call)));
    co_return http::Response(200, "application/json", std::move(json));
  }
  if (!parameter_text(call, "after").empty())
    co_return co_await follow_logs(parts, call, std::move(choice), std::move(query));
  const auto asked = cursors_of(parts, parameter_text(call, "cursor"));
  const std::string self(parts.nodes->self());
  LogStart start{cursor_at(asked, self), {}};
  NodeQueries::Local local = [&parts, query, start] {
    return logs_here(parts, query, start, Audience::Node);
  };
  NodeQueries::QueryFor query_for = [&call, &asked](std::string_view node) {
    auto pairs = passed_on(call);
    if (auto cursor = cursor_at(asked, node); !cursor.empty())
      pairs.emplace_back("cursor", std::move(cursor));
    return pairs;
  };
  auto answers = co_await parts.nodes->ask(call, std::move(choice), "/logs", std::move(local),
                                           std::move(query_for));
  co_return merged(answers,
                   [&](JsonWriter& out) { merge_logs(out, answers.pages, query.limit, asked); });
}

}  // namespace

std::vector<ApiRoute> log_routes(LogRoutesParts& parts) {
  return {{"GET", "/logs", "listLogs", identity::action::kAdminRead,
           [&parts](ApiCall& call) { return list_logs(parts, call); }, Reach::Node}};
}

}  // namespace weft::app
