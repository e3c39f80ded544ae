// weft stream replay: stored records, once more for the readers of another stream.
#include "app/cli/admin_client.h"
#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "base/json_members.h"
#include "base/json_writer.h"
#include "http/message.h"

namespace weft::app {
namespace {

constexpr std::int64_t kOffsetMax = std::numeric_limits<std::int64_t>::max();

// What was asked for one partition, and how far it is.
struct Part {
  std::int64_t partition = 0;
  std::optional<std::int64_t> next;
  std::optional<std::int64_t> until;
  std::int64_t from = 0;
  std::int64_t records = 0;
};

Result<> add_end(JsonWriter& body, const Arguments& arguments, const std::string& offset_flag,
                 const std::string& time_flag, std::string_view name) {
  if (arguments.has(offset_flag) && arguments.has(time_flag)) {
    return fail(ErrorCode::InvalidArgument, "give --{} or --{}, not both", offset_flag, time_flag);
  }
  if (arguments.has(offset_flag)) {
    TRY(const auto offset, arguments.number(offset_flag, 0, kOffsetMax));
    body.member(fmt::format("{}Offset", name), offset);
  }
  if (arguments.has(time_flag)) body.member(fmt::format("{}Time", name), arguments.get(time_flag));
  return {};
}

Result<std::string> body_of(const Arguments& arguments, const Part& part) {
  JsonWriter body;
  body.object().member("into", arguments.get("into"));
  if (arguments.has("key")) body.member("key", arguments.get("key"));
  body.member("partition", part.partition);
  if (part.next) {
    body.member("fromOffset", *part.next);
  } else {
    CHECK(add_end(body, arguments, "offset", "time", "from"));
  }
  if (part.until) {
    body.member("untilOffset", *part.until);
  } else {
    CHECK(add_end(body, arguments, "until-offset", "until-time", "until"));
  }
  body.member("preview", !arguments.has("execute")).end();
  return std::move(body).text();
}

Result<> replay_part(AdminClient& client, const Arguments& arguments, const std::string& path,
                     Part& part) {
  do {
    TRY(auto body, body_of(arguments, part));
    TRY(const auto answer, client.expect("POST", path + "/replay", std::move(body)));
    const auto& root = answer.json.root();
    if (!part.next) part.from = member_integer(root, "from").value_or(0);
    part.until = member_integer(root, "until");
    part.next = member_integer(root, "next");
    part.records += member_integer(root, "records").value_or(0);
  } while (part.next);
  return {};
}

Result<std::vector<Part>> parts_of(AdminClient& client, const Arguments& arguments,
                                   const std::string& path) {
  std::vector<Part> parts;
  if (arguments.has("partition")) {
    TRY(const auto one, arguments.number("partition", 0, std::numeric_limits<std::int32_t>::max()));
    parts.emplace_back().partition = one;
  } else {
    TRY(const auto answer, client.expect("GET", path));
    for (const auto& each : answer.json.root().find("partitions")->elements()) {
      parts.emplace_back().partition = member_integer(each, "partition").value_or(0);
    }
  }
  return parts;
}

int show_parts(const Arguments& arguments, const std::vector<Part>& parts) {
  JsonWriter out;
  out.object().member("preview", !arguments.has("execute")).key("items").array();
  for (const auto& part : parts) {
    if (!part.until) continue;
    out.object().member("partition", part.partition).member("from", part.from);
    out.member("until", part.next.value_or(*part.until)).member("records", part.records).end();
  }
  out.end().end();
  auto document = JsonDocument::parse(std::move(out).text());
  if (!document) return report(document.error());
  const auto status = show(arguments, document->root(),
                           {{"PARTITION", "/partition"},
                            {"FROM", "/from"},
                            {"UNTIL", "/until"},
                            {"RECORDS", "/records"}},
                           items_of(document->root()));
  if (!arguments.has("execute") && arguments.get("output") == "table") {
    fmt::print("a preview: nothing was stored; add --execute to do it\n");
  }
  return status;
}

int replay(const Arguments& arguments) {
  if (arguments.positional().size() != 1) {
    return report(Error{ErrorCode::InvalidArgument, "name exactly one stream"});
  }
  if (!arguments.has("into")) {
    return report(
        Error{ErrorCode::InvalidArgument, "name the stream that gets the copies: --into"});
  }
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  const auto path = "/streams/" + http::percent_encode(arguments.positional()[0]);
  auto parts = parts_of(*client, arguments, path);
  if (!parts) return report(parts.error());
  for (auto& part : *parts) {
    auto done = replay_part(*client, arguments, path, part);
    if (done) continue;
    if (parts->front().until) (void)show_parts(arguments, *parts);  // what was done before
    return report(done.error());
  }
  return show_parts(arguments, *parts);
}

}  // namespace

std::vector<Command> replay_commands() {
  auto flags = client_flags();
  flags.push_back({"into", "NAME", "the stream that gets the copies", "", false});
  flags.push_back({"key", "TEXT", "only records of this key", "", false});
  flags.push_back({"partition", "N", "only this partition", "", false});
  flags.push_back({"offset", "N", "from this offset on, in each partition", "", false});
  flags.push_back({"time", "RFC3339", "from this time on", "", false});
  flags.push_back({"until-offset", "N", "without this offset and those behind it", "", false});
  flags.push_back({"until-time", "RFC3339", "without this time and what is later", "", false});
  flags.push_back({"execute", "", "do it; without, only show how many records it is", "", false});
  return {{"stream replay",
           "Copies stored records to another stream, for its readers; without --execute a preview",
           "<stream>", flags, replay}};
}

}  // namespace weft::app
