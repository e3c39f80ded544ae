#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <iterator>

#include "app/cli/admin_client.h"
#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "base/json_members.h"
#include "base/json_writer.h"
#include "http/message.h"

namespace weft::app {
namespace {

std::string stream_path(const std::string& name, std::string_view rest = {}) {
  return "/streams/" + http::percent_encode(name) + std::string(rest);
}

Result<std::string> only_name(const Arguments& arguments, std::string_view what) {
  if (arguments.positional().size() != 1) {
    return fail(ErrorCode::InvalidArgument, "name exactly one {}", what);
  }
  return arguments.positional()[0];
}

int print_streams(const Arguments& arguments) {
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto query =
      query_string({{"limit", "500"}, {"internal", arguments.has("internal") ? "true" : ""}});
  auto answer = client->expect("GET", "/streams" + query);
  if (!answer) return report(answer.error());
  return show(arguments, answer->json.root(),
              {{"STREAM", "/name"},
               {"OWNER", "/owner"},
               {"PARTITIONS", "/partitions"},
               {"RECORDS", "/records"},
               {"BYTES", "/bytes"},
               {"SCHEMA", "/schemaName"},
               {"DURABILITY", "/durability"}},
              items_of(answer->json.root()));
}

int describe_stream(const Arguments& arguments) {
  auto name = only_name(arguments, "stream");
  if (!name) return report(name.error());
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("GET", stream_path(*name));
  if (!answer) return report(answer.error());
  const auto& root = answer->json.root();
  if (arguments.get("output") == "table") fmt::print("{}\n", yaml_text(*root.find("stream")));
  const auto* partitions = root.find("partitions");
  std::vector<Json> rows(partitions->elements().begin(), partitions->elements().end());
  return show(
      arguments, root,
      {{"PARTITION", "/partition"}, {"START", "/start"}, {"END", "/end"}, {"BYTES", "/bytes"}},
      rows);
}

// The value: the positional after the stream's name, or standard input.
std::string value_of(const Arguments& arguments) {
  if (arguments.positional().size() > 1) return arguments.positional()[1];
  return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
}

int produce(const Arguments& arguments) {
  if (arguments.positional().empty()) {
    return report(Error{ErrorCode::InvalidArgument, "name the stream to produce to"});
  }
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  JsonWriter body;
  body.object();
  if (arguments.has("key")) body.member("key", arguments.get("key"));
  if (arguments.has("partition")) {
    auto partition = arguments.number("partition", 0, std::numeric_limits<std::int32_t>::max());
    if (!partition) return report(partition.error());
    body.member("partition", *partition);
  }
  body.member("valueText", value_of(arguments)).key("headers").array();
  for (const auto& header : arguments.all("header")) {
    auto equals = header.find('=');
    if (equals == std::string::npos) {
      return report(Error{ErrorCode::InvalidArgument, "write --header name=value"});
    }
    body.object()
        .member("name", header.substr(0, equals))
        .member("value", header.substr(equals + 1))
        .end();
  }
  body.end().end();
  auto answer = client->expect("POST", stream_path(arguments.positional()[0], "/records"),
                               std::move(body).text());
  if (!answer) return report(answer.error());
  return show(arguments, answer->json.root(),
              {{"PARTITION", "/partition"}, {"OFFSET", "/offset"}, {"TRACE", "/traceId"}},
              {answer->json.root()});
}

void print_record(const Json& record) {
  auto text = [&](std::string_view name) {
    const auto* value = record.find(name);
    if (value == nullptr || value->is_null()) return std::string("-");
    return std::string(value->is_string() ? value->as_string() : value->raw());
  };
  auto value =
      record.find("valueText") != nullptr ? text("valueText") : "base64:" + text("valueBase64");
  fmt::print("{}:{}  {}  key={}  trace={}\n  {}\n", text("partition"), text("offset"),
             text("timestamp"), text("key"), text("traceId"), value);
}

Result<std::vector<std::int64_t>> partitions_to_read(AdminClient& client,
                                                     const Arguments& arguments,
                                                     const std::string& stream) {
  if (arguments.has("partition")) {
    TRY(auto one, arguments.number("partition", 0, std::numeric_limits<std::int32_t>::max()));
    return std::vector<std::int64_t>{one};
  }
  TRY(auto answer, client.expect("GET", stream_path(stream)));
  std::vector<std::int64_t> numbers;
  for (const auto& partition : answer.json.root().find("partitions")->elements()) {
    numbers.push_back(partition.find("partition")->as_int64().value_or(0));
  }
  return numbers;
}

// Reads one partition from its start, an offset or a time, to its end as it was when reading began.
Result<std::int64_t> consume_partition(AdminClient& client, const Arguments& arguments,
                                       const std::string& stream, std::int64_t partition,
                                       std::int64_t most) {
  std::int64_t printed = 0;
  std::string cursor;
  do {
    auto query =
        query_string({{"partition", std::to_string(partition)},
                      {"offset", arguments.get("offset")},
                      {"time", arguments.get("time")},
                      {"key", arguments.get("key")},
                      {"limit", std::to_string(std::min<std::int64_t>(500, most - printed))},
                      {"cursor", cursor}});
    TRY(auto answer, client.expect("GET", stream_path(stream, "/records") + query));
    for (const auto& record : items_of(answer.json.root())) {
      if (arguments.get("output") == "json")
        fmt::print("{}\n", record.raw());
      else
        print_record(record);
      ++printed;
    }
    cursor = text_of(answer.json.root(), "nextCursor");
  } while (!cursor.empty() && printed < most);
  return printed;
}

int consume(const Arguments& arguments) {
  auto name = only_name(arguments, "stream");
  if (!name) return report(name.error());
  auto most = arguments.number("max", 1, 1'000'000'000);
  if (!most) return report(most.error());
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto partitions = partitions_to_read(*client, arguments, *name);
  if (!partitions) return report(partitions.error());
  std::int64_t left = *most;
  for (auto partition : *partitions) {
    if (left == 0) break;
    auto printed = consume_partition(*client, arguments, *name, partition, left);
    if (!printed) return report(printed.error());
    left -= *printed;
  }
  return 0;
}

}  // namespace

std::vector<Command> stream_commands() {
  auto produce_flags = client_flags();
  produce_flags.push_back(
      {"key", "TEXT", "record key; records of one key keep their order", "", false});
  produce_flags.push_back({"partition", "N", "partition; without it the key decides", "", false});
  produce_flags.push_back({"header", "NAME=VALUE", "record header", "", true});
  auto consume_flags = client_flags();
  consume_flags.push_back({"partition", "N", "only this partition", "", false});
  consume_flags.push_back({"offset", "N", "first offset; -5 is the last five", "", false});
  consume_flags.push_back({"time", "RFC3339", "start at this time", "", false});
  consume_flags.push_back({"key", "TEXT", "only records of this key", "", false});
  consume_flags.push_back({"max", "N", "stop after so many records", "1000", false});
  auto list_flags = client_flags();
  list_flags.push_back({"internal", "", "internal streams too", "", false});
  return {
      {"stream list", "Lists streams with their size", "", list_flags, print_streams},
      {"stream describe", "Shows one stream: settings, partitions, offsets", "<stream>",
       client_flags(), describe_stream},
      {"stream produce", "Appends one record; the value is the argument or standard input",
       "<stream> [value]", produce_flags, produce},
      {"stream consume", "Prints records up to the present end", "<stream>", consume_flags,
       consume},
  };
}

}  // namespace weft::app
