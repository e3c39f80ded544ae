#include <fmt/format.h>

#include <algorithm>

#include "app/cli/admin_client.h"
#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "base/json_members.h"
#include "runtime/clock.h"
#include "runtime/run_until_done.h"

namespace weft::app {
namespace {

constexpr Duration kFollowStep = 500ms;

std::string value_text(const Json& value) {
  return std::string(value.is_string() ? value.as_string() : value.raw());
}

// 2026-03-01T12:00:00.123Z warn  delivery  message  name=value …
void print_line(const Json& line) {
  fmt::print("{} {:<5} {:<9} {}", text_of(line, "time"), text_of(line, "level"),
             text_of(line, "module"), text_of(line, "message"));
  for (const auto& member : line.members()) {
    auto name = member.key();
    if (name == "time" || name == "level" || name == "module" || name == "message") continue;
    fmt::print("  {}={}", name, value_text(member.value));
  }
  fmt::print("\n");
}

// One JSON object per line with -o json, else for people.
void print_lines(const Arguments& arguments, const std::vector<Json>& lines) {
  for (const auto& line : lines) {
    if (arguments.get("output") == "json")
      fmt::print("{}\n", line.raw());
    else
      print_line(line);
  }
  std::fflush(stdout);
}

std::vector<std::pair<std::string, std::string>> conditions(const Arguments& arguments) {
  return {{"level", arguments.get("level")}, {"module", arguments.get("module")},
          {"trace", arguments.get("trace")}, {"key", arguments.get("key")},
          {"text", arguments.get("text")},   {"since", arguments.get("since")},
          {"limit", arguments.get("limit")}, {"nodes", arguments.get("node")}};
}

Result<AdminAnswer> ask(AdminClient& client, const Arguments& arguments, std::string after) {
  auto query = conditions(arguments);
  if (!after.empty()) query.emplace_back("after", std::move(after));
  return client.expect("GET", "/logs" + query_string(query));
}

int follow(AdminClient& client, const Arguments& arguments, std::string end, std::string told) {
  SystemClock clock;
  for (;;) {
    auto answer = ask(client, arguments, end);
    if (!answer) return report(answer.error());
    const auto& root = answer->json.root();
    auto lines = items_of(root);
    print_lines(arguments, lines);
    // Again only when it changes.
    if (auto silent = silent_nodes(root); silent != std::exchange(told, silent))
      fmt::print(stderr, "{}", silent);
    end = text_of(root, "end");
    if (!lines.empty()) continue;
    IoContext loop(1);
    if (!run_until_done(loop, clock.sleep_for(kFollowStep))) return 0;
  }
}

int logs(const Arguments& arguments) {
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = ask(*client, arguments, "");
  if (!answer) return report(answer.error());
  const auto& root = answer->json.root();
  auto lines = items_of(root);
  std::ranges::reverse(lines);
  print_lines(arguments, lines);
  tell_silent_nodes(root);
  if (!arguments.has("follow")) return 0;
  return follow(*client, arguments, text_of(root, "end"), silent_nodes(root));
}

}  // namespace

std::vector<Command> log_commands() {
  auto flags = client_flags();
  flags.push_back({"follow", "", "go on with what is said from now on", "", false});
  flags.push_back({"level", "LEVEL", "debug, info, warn or error, and above", "", false});
  flags.push_back({"module", "NAME", "only of this module, such as delivery", "", false});
  flags.push_back({"trace", "ID", "only of this trace", "", false});
  flags.push_back({"key", "KEY", "only of this business key, such as an order number", "", false});
  flags.push_back({"text", "TEXT", "found anywhere in the line", "", false});
  flags.push_back(
      {"since", "TIME", "only since then: a time, or how long ago, such as 15m", "", false});
  flags.push_back({"limit", "N", "so many of the latest", "50", false});
  flags.push_back(node_flag());
  return {{"logs", "Shows what the node said, oldest first", "", flags, logs}};
}

}  // namespace weft::app
