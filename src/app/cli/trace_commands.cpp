#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "app/cli/admin_client.h"
#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "base/json_members.h"
#include "base/time.h"

namespace weft::app {
namespace {

constexpr std::size_t kBarWidth = 40;

struct SpanRow {
  std::string id;
  std::string parent;
  std::string label;
  double start_ms = 0;
  double duration_ms = 0;
  bool failed = false;
};

double milliseconds(const std::string& from, const std::string& to) {
  auto a = parse_rfc3339(from);
  auto b = parse_rfc3339(to);
  if (!a || !b) return 0;
  return std::chrono::duration<double, std::milli>(*b - *a).count();
}

std::vector<SpanRow> rows_of(const Json& trace) {
  std::vector<SpanRow> rows;
  auto begin = text_of(trace, "start");
  const bool names_nodes = is_of_nodes(trace);
  for (const auto& span : trace.find("spans")->elements()) {
    SpanRow row;
    row.id = text_of(span, "spanId");
    row.parent = text_of(span, "parentSpanId");
    row.label = fmt::format("{}  {}", text_of(span, "service"), text_of(span, "name"));
    if (names_nodes) row.label += fmt::format("  @{}", text_of(span, "node"));
    row.start_ms = milliseconds(begin, text_of(span, "start"));
    row.duration_ms = milliseconds(text_of(span, "start"), text_of(span, "end"));
    const auto* failed = span.find("failed");
    row.failed = failed != nullptr && failed->is_bool() && failed->as_bool();
    rows.push_back(std::move(row));
  }
  return rows;
}

void print_below(const std::vector<SpanRow>& rows, const std::string& parent, std::size_t depth,
                 double whole_ms) {
  for (const auto& row : rows) {
    auto is_root =
        std::none_of(rows.begin(), rows.end(), [&](const auto& r) { return r.id == row.parent; });
    if (depth == 0 ? !is_root : row.parent != parent) continue;
    auto scale = static_cast<double>(kBarWidth) / std::max(whole_ms, 0.001);
    auto from = std::min(static_cast<std::size_t>(row.start_ms * scale), kBarWidth - 1);
    auto wide = std::clamp<std::size_t>(static_cast<std::size_t>(row.duration_ms * scale), 1,
                                        kBarWidth - from);
    auto bar = std::string(from, ' ') + std::string(wide, row.failed ? '!' : '=') +
               std::string(kBarWidth - from - wide, ' ');
    fmt::print("{:<52} |{}| {:>9.3f} ms{}\n", std::string(depth * 2, ' ') + row.label, bar,
               row.duration_ms, row.failed ? "  FAILED" : "");
    if (!row.id.empty()) print_below(rows, row.id, depth + 1, whole_ms);
  }
}

// "250ms" as a number of milliseconds; empty stays empty.
Result<std::string> milliseconds_text(const std::string& duration) {
  if (duration.empty()) return std::string();
  TRY(auto parsed, parse_duration(duration));
  return fmt::format("{}", std::chrono::duration<double, std::milli>(parsed).count());
}

int print_traces(const Arguments& arguments) {
  auto slower = milliseconds_text(arguments.get("slower"));
  if (!slower) return report(std::move(slower).error().within("--slower"));
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto query =
      query_string({{"q", arguments.get("find")},
                    {"errorsOnly", arguments.has("errors") || arguments.has("error") ? "true" : ""},
                    {"route", arguments.get("route")},
                    {"service", arguments.get("service")},
                    {"key", arguments.get("key")},
                    {"minDurationMs", *slower},
                    {"since", arguments.get("since")},
                    {"limit", arguments.get("limit")},
                    {"nodes", arguments.get("node")}});
  auto answer = client->expect("GET", "/traces" + query);
  if (!answer) return report(answer.error());
  const auto& root = answer->json.root();
  tell_silent_nodes(root);
  std::vector<Column> columns = {{"TRACE", "/traceId"},     {"NAME", "/name"},
                                 {"START", "/start"},       {"MS", "/durationMs"},
                                 {"SPANS", "/spanCount"},   {"FAILED", "/failed"},
                                 {"KEY", "/businessKeys/0"}};
  if (is_of_nodes(root)) columns.push_back({"NODES", "/nodes"});
  return show(arguments, root, columns, items_of(root));
}

int trace(const Arguments& arguments) {
  if (arguments.positional().size() != 1) {
    return report(
        Error{ErrorCode::InvalidArgument, "name one trace; `weft trace list` shows recent ones"});
  }
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("GET", "/traces/" + arguments.positional()[0] +
                                          query_string({{"nodes", arguments.get("node")}}));
  if (!answer) return report(answer.error());
  const auto& root = answer->json.root();
  tell_silent_nodes(root);
  if (arguments.get("output") != "table") return show(arguments, root, {}, {});
  auto rows = rows_of(root);
  double whole = 0;
  for (const auto& row : rows) whole = std::max(whole, row.start_ms + row.duration_ms);
  fmt::print("trace {}  {}  {} spans  {:.3f} ms\n", text_of(root, "traceId"),
             text_of(root, "start"), rows.size(), whole);
  print_below(rows, "", 0, whole);
  return 0;
}

}  // namespace

std::vector<Command> trace_commands() {
  auto list_flags = client_flags();
  list_flags.push_back({"find", "TEXT", "in names and attributes, such as an event id", "", false});
  list_flags.push_back({"error", "", "only failed ones", "", false});
  list_flags.push_back({"errors", "", "the same", "", false});
  list_flags.push_back(
      {"route", "ROUTE", "only this route of the gateway, such as /orders/{id}", "", false});
  list_flags.push_back({"service", "NAME", "only with a span of this service", "", false});
  list_flags.push_back(
      {"key", "KEY", "only with this business key, such as an order number", "", false});
  list_flags.push_back(
      {"slower", "TIME", "only those that took at least so long, such as 250ms", "", false});
  list_flags.push_back(
      {"since", "TIME", "only since then: a time, or how long ago, such as 15m", "", false});
  list_flags.push_back({"limit", "N", "so many, newest first", "20", false});
  list_flags.push_back(node_flag());
  auto trace_flags = client_flags();
  trace_flags.push_back(node_flag());
  return {{"trace", "Shows what happened to one request, span by span", "<traceId>", trace_flags,
           trace},
          {"trace list", "Lists recent traces", "", list_flags, print_traces}};
}

}  // namespace weft::app
