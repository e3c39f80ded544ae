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

Result<std::optional<telemetry::LogPosition>> read_position(const ApiCall& call,
                                                            std::string_view parameter) {
  auto given = call.parameter(parameter);
  if (!given || given->empty()) return std::nullopt;
  auto text = from_base64url(*given).value_or(std::string());
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
  TRY(query.before, read_position(call, "cursor"));
  TRY(query.after, read_position(call, "after"));
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

Task<Result<http::Response>> list_logs(LogRoutesParts& parts, ApiCall& call) {
  if (parts.logs == nullptr) {
    co_return fail(ErrorCode::FailedPrecondition,
                   "no log lines are kept: telemetry.logDiskBytesMax is 0");
  }
  CO_TRY(auto query, read_log_query(call, parts.clock.now()));
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
  out.end();
  co_return json_answer(std::move(out));
}

}  // namespace

std::vector<ApiRoute> log_routes(LogRoutesParts& parts) {
  return {{"GET", "/logs", "listLogs", identity::action::kAdminRead,
           [&parts](ApiCall& call) { return list_logs(parts, call); }, Reach::Node}};
}

}  // namespace weft::app
