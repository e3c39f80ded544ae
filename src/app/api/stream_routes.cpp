#include "app/api/stream_routes.h"

#include <charconv>

#include "app/api/record_json.h"
#include "app/api/record_tail.h"
#include "app/api/stream_json.h"
#include "app/watch/group_lag.h"
#include "base/bytes.h"
#include "base/json_members.h"
#include "eventlog/quarantine.h"
#include "eventlog/replay.h"
#include "identity/decisions.h"

namespace weft::app {
namespace {

using eventlog::Offset;
using identity::action::kAdminRead;
using identity::action::kStreamWrite;

constexpr std::int64_t kOffsetMax = std::numeric_limits<std::int64_t>::max();

Task<StreamTraffic> traffic_of(StreamRoutesParts& parts, const ShownStream& stream) {
  StreamTraffic traffic;
  traffic.records_per_second =
      parts.rates.per_second(parts.clock.mono(), parts.log, stream.info.id);
  traffic.last_record = co_await parts.last_records.of(stream.info);
  co_return traffic;
}

Task<Result<http::Response>> list_streams(StreamRoutesParts& parts, ApiCall& call) {
  CO_TRY(auto limit, call.limit());
  CO_TRY(auto after, read_cursor(call));
  CO_TRY(auto internal, call.flag("internal"));
  auto all = shown_streams(parts.log, parts.streams, call.tenant(), internal);
  JsonWriter out;
  out.object().key("items").array();
  std::size_t shown = 0;
  std::string last;
  for (const auto& stream : all) {
    if (stream.info.settings.name <= after) continue;
    if (shown == limit) break;
    auto traffic = co_await traffic_of(parts, stream);
    write_stream(out, stream, parts.log, traffic);
    last = stream.info.settings.name;
    ++shown;
  }
  out.end();
  if (shown == limit && last != all.back().info.settings.name)
    out.member("nextCursor", make_cursor(last));
  out.end();
  co_return json_answer(std::move(out));
}

// Who reads the stream: consumer groups, then subscriptions, with their positions in it alone.
Task<std::vector<Reader>> readers_of(StreamRoutesParts& parts, const ApiCall& call,
                                     const ShownStream& stream) {
  std::string tenant(call.tenant());
  auto id = stream.info.id;
  auto readers = co_await consumer_groups(parts.log, parts.groups, tenant);
  auto keep_ours = [id](Reader& reader) {
    std::erase_if(reader.positions,
                  [id](const auto& position) { return position.partition.stream != id; });
    return !reader.positions.empty();
  };
  std::erase_if(readers, [&](Reader& reader) { return !keep_ours(reader); });
  auto subscriptions = co_await parts.delivery.subscriptions(tenant);
  for (const auto& subscription : subscriptions) {
    auto reader = reader_of(subscription);
    if (keep_ours(reader)) readers.push_back(std::move(reader));
  }
  co_return readers;
}

Task<Result<http::Response>> get_stream(StreamRoutesParts& parts, ApiCall& call) {
  auto stream = find_shown(parts.log, parts.streams, call.tenant(), call.captures[0]);
  if (!stream) co_return no_such_stream(call.captures[0]);
  auto readers = co_await readers_of(parts, call, *stream);
  auto traffic = co_await traffic_of(parts, *stream);
  JsonWriter out;
  out.object().key("stream");
  write_stream(out, *stream, parts.log, traffic);
  out.key("partitions");
  write_partitions(out, *stream, parts.log);
  out.key("groups").array();
  for (const auto& reader : readers) {
    auto behind = reader.behind;
    if (!behind) behind = co_await time_behind(parts.log, parts.clock.now(), reader.positions);
    write_reader(out, reader, *behind);
  }
  out.end();
  if (stream->declared && stream->declared->schema) {
    out.key("schema")
        .object()
        .member("name", stream->declared->schema_name)
        .member("format", "json-schema")
        .member("text", stream->declared->schema_text)
        .end();
  }
  if (auto sample = stream->declared ? sample_value(*stream->declared) : std::nullopt)
    out.member("sample", *sample);
  out.end();
  co_return json_answer(std::move(out));
}

// Where reading starts: ?offset= (negative: from the end), ?time=, the cursor, or the first record.
Task<Result<Offset>> first_offset(StreamRoutesParts& parts, const ApiCall& call,
                                  eventlog::PartitionId partition,
                                  const eventlog::PartitionInfo& info) {
  CO_TRY(auto cursor, read_cursor(call));
  if (!cursor.empty()) {
    Offset offset = 0;
    std::from_chars(cursor.data(), cursor.data() + cursor.size(), offset);
    co_return std::max(offset, info.start);
  }
  CO_TRY(auto offset, call.integer("offset", -kOffsetMax, kOffsetMax));
  auto time = call.parameter("time");
  if (offset && time)
    co_return fail(ErrorCode::InvalidArgument, "give ?offset= or ?time=, not both");
  if (offset && *offset < 0) co_return std::max(info.start, info.end + *offset);
  if (offset) co_return *offset;
  if (!time) co_return info.start;
  CO_TRY(auto point, parse_rfc3339(*time));
  co_return co_await parts.log.offset_at(partition, point);
}

http::Response out_of_range(const eventlog::PartitionInfo& info, const ApiCall& call,
                            Offset asked) {
  JsonWriter details;
  details.object().member("start", info.start).member("end", info.end).end();
  return http::problem(416, "OUT_OF_RANGE",
                       fmt::format("offset {} is outside the partition, which has {} to {}", asked,
                                   info.start, info.end),
                       call.trace.trace_id_hex(), details.text());
}

Task<Result<http::Response>> read_records(StreamRoutesParts& parts, ApiCall& call) {
  auto stream = find_shown(parts.log, parts.streams, call.tenant(), call.captures[0]);
  if (!stream) co_return no_such_stream(call.captures[0]);
  CO_TRY(auto number, call.integer("partition", 0, stream->info.settings.partitions - 1));
  const auto key = call.parameter("key");
  if (key && !number) number = eventlog::partition_of_key(*key, stream->info.settings.partitions);
  CO_TRY(auto limit, call.limit());
  CO_TRY(auto value_bytes, call.integer("valueBytesMax", 0, 1'048'576));
  eventlog::ReadRequest request;
  request.partition = {stream->info.id, static_cast<std::int32_t>(number.value_or(0))};
  auto info = parts.log.partition(request.partition);
  if (!info) co_return no_such_stream(call.captures[0]);
  CO_TRY(request.from, co_await first_offset(parts, call, request.partition, *info));
  request.records_max = static_cast<std::uint32_t>(limit);
  if (request.from < info->start || request.from > info->end) {
    co_return out_of_range(*info, call, request.from);
  }
  eventlog::ReadResult read;
  if (key) {
    CO_TRY(read, co_await eventlog::read_of_key(parts.log, request, std::string(*key)));
  } else {
    CO_TRY(read, co_await parts.log.read(request));
  }
  JsonWriter out;
  out.object().key("items").array();
  for (const auto& record : read.records) {
    write_record(out, request.partition.partition, record,
                 static_cast<std::size_t>(value_bytes.value_or(65'536)));
  }
  out.end()
      .member("partition", request.partition.partition)
      .member("start", read.partition.start)
      .member("end", read.partition.end);
  // Beyond the stable end nothing can be shown before a transaction ends.
  if (read.next < read.partition.stable_end)
    out.member("nextCursor", make_cursor(std::to_string(read.next)));
  out.end();
  co_return json_answer(std::move(out));
}

http::Response contract_broken(const std::vector<contracts::Violation>& violations,
                               const ApiCall& call) {
  JsonWriter details;
  details.object().key("errors").array();
  for (const auto& violation : violations) {
    details.object()
        .member("instanceLocation", violation.instance)
        .member("schemaLocation", violation.schema)
        .member("message", violation.message)
        .end();
  }
  details.end().end();
  return http::problem(422, "SCHEMA_VIOLATION",
                       "the value breaks the stream's contract at '" + violations[0].instance +
                           "': " + violations[0].message,
                       call.trace.trace_id_hex(), details.text());
}

Result<eventlog::NewRecords> read_new_record(const Json& body) {
  eventlog::NewRecords records;
  auto& record = records.records.emplace_back();
  const auto* value = body.find("value");
  const auto* text = body.find("valueText");
  if ((value == nullptr) == (text == nullptr)) {
    return fail(ErrorCode::InvalidArgument, "give exactly one of value and valueText");
  }
  record.value = std::string(text != nullptr ? text->as_string() : value->raw());
  if (auto key = member_text(body, "key")) record.key = *key;
  if (const auto* partition = body.find("partition"); partition != nullptr) {
    records.partition = static_cast<std::int32_t>(partition->as_int64().value_or(-1));
  }
  if (const auto* headers = body.find("headers"); headers != nullptr && headers->is_array()) {
    for (const auto& header : headers->elements()) {
      const auto name = member_text(header, "name");
      const auto header_value = member_text(header, "value");
      if (!name || !header_value) {
        return fail(ErrorCode::InvalidArgument, "each of headers needs a name and a value");
      }
      record.headers.emplace_back(*name, *header_value);
    }
  }
  return records;
}

bool has_header(const eventlog::NewRecord& record, std::string_view name) {
  return std::any_of(record.headers.begin(), record.headers.end(),
                     [&](const auto& header) { return header.first == name; });
}

// The envelope that a record needs to be a CloudEvent, where the caller gave none.
std::string complete_envelope(StreamRoutesParts& parts, const ApiCall& call,
                              const std::string& stream, eventlog::NewRecord& record) {
  if (!has_header(record, "traceparent"))
    record.headers.emplace_back("traceparent", call.trace.traceparent());
  if (has_header(record, "ce_id")) return {};
  auto id = parts.random.uuid_v7(parts.clock.now()).text();
  for (auto [name, value] : {std::pair<std::string, std::string>{"ce_specversion", "1.0"},
                             {"ce_id", id},
                             {"ce_source", "/admin"},
                             {"ce_type", stream},
                             {"ce_time", to_rfc3339(parts.clock.now())}}) {
    record.headers.emplace_back(std::move(name), std::move(value));
  }
  return id;
}

void record_append_span(StreamRoutesParts& parts, const ApiCall& call, const std::string& stream,
                        WallTime start) {
  Span span;
  span.context = call.trace;
  span.name = "append " + stream;
  span.kind = SpanKind::Producer;
  span.start = start;
  span.end = parts.clock.now();
  span.attributes = {{"service.name", "admin"},
                     {"messaging.destination.name", stream},
                     {"enduser.id", call.principal->id}};
  parts.spans.record(std::move(span));
}

Task<Result<http::Response>> produce_record(StreamRoutesParts& parts, ApiCall& call) {
  const auto& name = call.captures[0];
  auto stream = parts.streams.find(call.tenant(), name);
  if (!stream) co_return no_such_stream(name);
  CO_CHECK(eventlog::check_open_to_writers(*stream));
  CO_TRY(auto body, JsonDocument::parse(std::string(call.body)));
  CO_TRY(auto records, read_new_record(body.root()));
  records.stream = stream->info.id;
  if (records.partition >= stream->info.settings.partitions) {
    co_return fail(ErrorCode::InvalidArgument, "partition must be below {}",
                   stream->info.settings.partitions);
  }
  auto violations = stream->declared->violations_of_text(*records.records[0].value);
  if (!violations.empty()) co_return contract_broken(violations, call);
  auto event_id = complete_envelope(parts, call, name, records.records[0]);
  auto start = parts.clock.now();
  std::vector<eventlog::NewRecords> entry;
  entry.push_back(std::move(records));
  CO_TRY(auto appended, co_await parts.log.append(std::move(entry)));
  record_append_span(parts, call, name, start);
  JsonWriter out;
  out.object()
      .member("partition", appended[0].partition.partition)
      .member("offset", appended[0].first_offset)
      .member("timestamp", to_rfc3339(appended[0].time))
      .member("traceId", call.trace.trace_id_hex());
  if (!event_id.empty()) out.member("eventId", event_id);
  out.end();
  co_return json_answer(std::move(out), 201);
}

Task<Result<http::Response>> tail_records(StreamRoutesParts& parts, ApiCall& call) {
  auto stream = find_shown(parts.log, parts.streams, call.tenant(), call.captures[0]);
  if (!stream) co_return no_such_stream(call.captures[0]);
  RecordTail tail(parts.log, parts.clock, stream->info);
  CO_CHECK(tail.position(call));
  call.answered = true;
  co_await tail.run(call);
  co_return http::Response();
}

}  // namespace

std::vector<ApiRoute> stream_routes(StreamRoutesParts& parts) {
  auto with = [&parts](Task<Result<http::Response>> (*handler)(StreamRoutesParts&,
                                                               ApiCall&)) -> ApiHandler {
    return [&parts, handler](ApiCall& call) { return handler(parts, call); };
  };
  return {
      {"GET", "/streams", "listStreams", kAdminRead, with(list_streams)},
      {"GET", "/streams/{stream}", "getStream", kAdminRead, with(get_stream)},
      {"GET", "/streams/{stream}/records", "readRecords", kAdminRead, with(read_records)},
      {"POST", "/streams/{stream}/records", "produceRecord", kStreamWrite, with(produce_record)},
      {"GET", "/streams/{stream}/tail", "tailRecords", kAdminRead, with(tail_records)},
  };
}

}  // namespace weft::app
