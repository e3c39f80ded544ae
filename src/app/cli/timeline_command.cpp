// weft timeline: what is known of one business key, such as an order number, in the order of time.
#include <algorithm>
#include <tuple>

#include "app/cli/admin_client.h"
#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "base/json_members.h"
#include "base/json_writer.h"
#include "base/time.h"

namespace weft::app {
namespace {

struct TimelineEntry {
  WallTime time{};
  std::string kind;  // request, event, delivery, log
  std::string what;
  std::string outcome;
  std::string trace_id;
  std::string node;  // empty: there is one alone
};

struct Timeline {
  std::vector<TimelineEntry> entries;
  bool is_of_nodes = false;
  std::string silent;  // nodes that did not answer
};

std::string kind_of(std::string_view span_name) {
  if (span_name.starts_with("deliver ")) return "delivery";
  for (std::string_view stores : {"append ", "publish ", "produce "}) {
    if (span_name.starts_with(stores)) return "event";
  }
  return "request";
}

std::string outcome_of(const Json& span) {
  const auto* failed = span.find("failed");
  const auto* status = span.at_pointer("/attributes/http.response.status_code");
  std::string outcome = failed != nullptr && failed->as_bool() ? "failed" : "ok";
  if (status != nullptr && status->is_string()) outcome += fmt::format(" {}", status->as_string());
  return outcome;
}

void add_spans(const Json& trace, std::vector<TimelineEntry>& entries) {
  for (const auto& span : trace.find("spans")->elements()) {
    auto name = text_of(span, "name");
    entries.push_back({parse_rfc3339(text_of(span, "start")).value_or(WallTime()), kind_of(name),
                       name, outcome_of(span), text_of(trace, "traceId"), text_of(span, "node")});
  }
}

void add_lines(const std::vector<Json>& lines, std::vector<TimelineEntry>& entries) {
  for (const auto& line : lines) {
    entries.push_back({parse_rfc3339(text_of(line, "time")).value_or(WallTime()), "log",
                       fmt::format("{}: {}", text_of(line, "module"), text_of(line, "message")),
                       text_of(line, "level"), text_of(line, "trace_id"), text_of(line, "node")});
  }
}

// Lines carry milliseconds, spans are finer: within one millisecond the span that began comes
// before the line that was written of it.
auto place_of(const TimelineEntry& entry) {
  return std::tuple(std::chrono::floor<std::chrono::milliseconds>(entry.time), entry.kind == "log",
                    entry.time);
}

Result<Timeline> timeline_of(AdminClient& client, const Arguments& arguments) {
  const std::pair<std::string, std::string> node{"nodes", arguments.get("node")};
  const auto query =
      query_string({{"key", arguments.positional()[0]}, {"limit", arguments.get("limit")}, node});
  TRY(auto traces, client.expect("GET", "/traces" + query));
  TRY(auto lines, client.expect("GET", "/logs" + query));
  Timeline all;
  all.is_of_nodes = is_of_nodes(traces.json.root());
  all.silent = silent_nodes(traces.json.root());
  for (const auto& found : items_of(traces.json.root())) {
    auto path = "/traces/" + text_of(found, "traceId") + query_string({node});
    TRY(auto trace, client.expect("GET", std::move(path)));
    add_spans(trace.json.root(), all.entries);
  }
  add_lines(items_of(lines.json.root()), all.entries);
  if (auto silent = silent_nodes(lines.json.root()); silent != all.silent) all.silent += silent;
  std::ranges::stable_sort(all.entries, {}, place_of);
  return all;
}

int timeline(const Arguments& arguments) {
  if (arguments.positional().size() != 1) {
    return report(
        Error{ErrorCode::InvalidArgument, "name one business key, such as an order number"});
  }
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto all = timeline_of(*client, arguments);
  if (!all) return report(all.error());
  fmt::print(stderr, "{}", all->silent);
  JsonWriter out;
  out.object().key("items").array();
  for (const auto& entry : all->entries) {
    out.object()
        .member("time", to_rfc3339(entry.time))
        .member("kind", entry.kind)
        .member("what", entry.what);
    out.member("outcome", entry.outcome).member("traceId", entry.trace_id);
    if (!entry.node.empty()) out.member("node", entry.node);
    out.end();
  }
  out.end().end();
  auto document = JsonDocument::parse(std::move(out).text());
  if (!document) return report(document.error());
  std::vector<Column> columns = {{"TIME", "/time"},
                                 {"KIND", "/kind"},
                                 {"WHAT", "/what"},
                                 {"OUTCOME", "/outcome"},
                                 {"TRACE", "/traceId"}};
  if (all->is_of_nodes) columns.push_back({"NODE", "/node"});
  return show(arguments, document->root(), columns, items_of(document->root()));
}

}  // namespace

std::vector<Command> timeline_commands() {
  auto flags = client_flags();
  flags.push_back({"limit", "N", "the newest N traces and log lines at most", "100", false});
  flags.push_back(node_flag());
  return {
      {"timeline",
       "Shows all of one business key: requests, events, deliveries and log lines in order of time",
       "<key>", flags, timeline}};
}

}  // namespace weft::app
