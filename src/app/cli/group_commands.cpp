// weft group: consumer groups, how far they are behind, and where they go on.
#include <fmt/format.h>

#include "app/cli/admin_client.h"
#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "base/json_writer.h"
#include "http/message.h"

namespace weft::app {
namespace {

std::string group_path(const std::string& name, std::string_view rest = {}) {
  return "/groups/" + http::percent_encode(name) + std::string(rest);
}

Result<std::string> only_group(const Arguments& arguments) {
  if (arguments.positional().size() != 1) {
    return fail(ErrorCode::InvalidArgument, "name exactly one group");
  }
  return arguments.positional()[0];
}

int list_groups(const Arguments& arguments) {
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("GET", "/groups?limit=500");
  if (!answer) return report(answer.error());
  return show(arguments, answer->json.root(),
              {{"GROUP", "/group"},
               {"STATE", "/state"},
               {"MEMBERS", "/members"},
               {"LAG", "/lag"},
               {"SECONDS", "/lagSeconds"},
               {"ALERT", "/alert"},
               {"STREAMS", "/streams"}},
              items_of(answer->json.root()));
}

int describe_group(const Arguments& arguments) {
  auto name = only_group(arguments);
  if (!name) return report(name.error());
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("GET", group_path(*name));
  if (!answer) return report(answer.error());
  const auto& root = answer->json.root();
  const auto& group = *root.find("group");
  if (arguments.get("output") == "table") {
    fmt::print("{}  {}  {} members  {} records and {} s behind\n", *name,
               group.find("state")->as_string(), group.find("members")->raw(),
               group.find("lag")->raw(), group.find("lagSeconds")->raw());
    for (const auto& member : root.find("clients")->elements()) {
      fmt::print("  {} at {}\n", member.find("clientId")->as_string(),
                 member.find("host")->as_string());
    }
  }
  const auto offsets = group.find("offsets")->elements();
  std::vector<Json> rows(offsets.begin(), offsets.end());
  return show(
      arguments, root,
      {{"STREAM", "/stream"}, {"PARTITION", "/partition"}, {"OFFSET", "/offset"}, {"LAG", "/lag"}},
      rows);
}

// Exactly one of the flags that say where to go on.
Result<std::string> reset_body(const Arguments& arguments) {
  JsonWriter body;
  body.object();
  int given = 0;
  for (const char* place : {"earliest", "latest"}) {
    if (!arguments.has(place)) continue;
    body.member("to", place);
    ++given;
  }
  for (const char* number : {"offset", "shift"}) {
    if (!arguments.has(number)) continue;
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    TRY(const auto value, arguments.number(number, -kMost, kMost));
    body.member("to", number).member("number", value);
    ++given;
  }
  if (arguments.has("time")) {
    body.member("to", "time").member("time", arguments.get("time"));
    ++given;
  }
  if (given != 1) {
    return fail(ErrorCode::InvalidArgument,
                "say where to go on: one of --earliest, --latest, --offset, --shift, --time");
  }
  if (arguments.has("stream")) body.member("stream", arguments.get("stream"));
  if (arguments.has("partition")) {
    TRY(const auto number,
        arguments.number("partition", 0, std::numeric_limits<std::int32_t>::max()));
    if (!arguments.has("stream")) {
      return fail(ErrorCode::InvalidArgument, "--partition needs --stream");
    }
    body.member("partition", number);
  }
  body.member("preview", !arguments.has("execute")).end();
  return std::move(body).text();
}

int reset_group(const Arguments& arguments) {
  auto name = only_group(arguments);
  if (!name) return report(name.error());
  auto body = reset_body(arguments);
  if (!body) return report(body.error());
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("POST", group_path(*name, "/reset"), *std::move(body));
  if (!answer) return report(answer.error());
  const auto status = show(arguments, answer->json.root(),
                           {{"STREAM", "/stream"},
                            {"PARTITION", "/partition"},
                            {"FROM", "/from"},
                            {"TO", "/to"},
                            {"AGAIN", "/again"}},
                           items_of(answer->json.root()));
  if (!arguments.has("execute") && arguments.get("output") == "table") {
    fmt::print("a preview: nothing was changed; add --execute to do it\n");
  }
  return status;
}

int delete_group(const Arguments& arguments) {
  auto name = only_group(arguments);
  if (!name) return report(name.error());
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("DELETE", group_path(*name));
  if (!answer) return report(answer.error());
  fmt::print("deleted\n");
  return 0;
}

}  // namespace

std::vector<Command> group_commands() {
  auto reset_flags = client_flags();
  reset_flags.push_back(
      {"stream", "NAME", "only in this stream; it may be new to the group", "", false});
  reset_flags.push_back({"partition", "N", "only this partition of it", "", false});
  reset_flags.push_back({"earliest", "", "to the first record that is there", "", false});
  reset_flags.push_back({"latest", "", "to the end: what waits is skipped", "", false});
  reset_flags.push_back({"offset", "N", "to this offset", "", false});
  reset_flags.push_back(
      {"shift", "N", "so many records on; -100 reads the last hundred again", "", false});
  reset_flags.push_back({"time", "RFC3339", "to the first record from this time on", "", false});
  reset_flags.push_back({"execute", "", "do it; without, only show what would change", "", false});
  return {
      {"group list", "Lists consumer groups with their lag", "", client_flags(), list_groups},
      {"group describe", "Shows one group: members, offsets, lag", "<group>", client_flags(),
       describe_group},
      {"group reset", "Says where a group goes on; shows a preview first", "<group>", reset_flags,
       reset_group},
      {"group delete", "Deletes a group that has no members, and its offsets", "<group>",
       client_flags(), delete_group},
  };
}

}  // namespace weft::app
