#include "app/api/record_tail.h"

#include <charconv>

#include "app/api/record_json.h"

namespace weft::app {
namespace {

// With several partitions each is asked in turn; one alone can wait for its next record.
constexpr Duration kPollAmongPartitions = std::chrono::milliseconds(200);
constexpr std::uint32_t kRecordsPerRead = 100;

Result<eventlog::Offset> start_of(std::string_view from, const eventlog::PartitionInfo& info) {
  if (from == "latest") return info.end;
  if (from == "earliest") return info.start;
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), number);
  if (error != std::errc() || end != from.data() + from.size()) {
    return fail(ErrorCode::InvalidArgument,
                "?from= is latest, earliest, an offset, or -N for the last N");
  }
  if (number < 0) return std::max(info.start, info.end + number);
  return std::clamp(number, info.start, info.end);
}

}  // namespace

RecordTail::RecordTail(eventlog::EventLog& log, Clock& clock, eventlog::StreamInfo stream)
    : log_(log), clock_(clock), stream_(std::move(stream)) {}

// "partition:next,partition:next": where every partition stands.
std::string RecordTail::resume_id() const {
  std::string id;
  for (const auto& cursor : cursors_) {
    id += fmt::format("{}{}:{}", id.empty() ? "" : ",", cursor.partition, cursor.next);
  }
  return id;
}

Result<> RecordTail::resume(std::string_view id) {
  while (!id.empty()) {
    auto part = id.substr(0, id.find(','));
    id.remove_prefix(std::min(id.size(), part.size() + 1));
    std::int32_t partition = 0;
    eventlog::Offset next = 0;
    auto colon = part.find(':');
    if (colon == std::string_view::npos ||
        std::from_chars(part.data(), part.data() + colon, partition).ec != std::errc() ||
        std::from_chars(part.data() + colon + 1, part.data() + part.size(), next).ec !=
            std::errc()) {
      return fail(ErrorCode::InvalidArgument, "Last-Event-ID is not one that this stream gave");
    }
    for (auto& cursor : cursors_) {
      auto info = log_.partition({stream_.id, cursor.partition});
      if (cursor.partition == partition && info)
        cursor.next = std::clamp(next, info->start, info->end);
    }
  }
  return {};
}

Result<> RecordTail::position(const ApiCall& call) {
  TRY(auto only, call.integer("partition", 0, stream_.settings.partitions - 1));
  TRY(auto value_bytes, call.integer("valueBytesMax", 0, 1'048'576));
  value_bytes_max_ = static_cast<std::size_t>(value_bytes.value_or(65'536));
  auto from = call.parameter("from").value_or("latest");
  for (std::int32_t i = 0; i < stream_.settings.partitions; ++i) {
    if (only && *only != i) continue;
    auto info = log_.partition({stream_.id, i});
    if (!info) continue;
    TRY(auto next, start_of(from, *info));
    cursors_.push_back({i, next});
  }
  if (auto id = call.exchange.head().find("Last-Event-ID")) return resume(*id);
  return {};
}

void RecordTail::append_event(std::string& out, const Cursor& cursor,
                              const eventlog::Record& record) const {
  JsonWriter data;
  write_record(data, cursor.partition, record, value_bytes_max_);
  out += "id: " + resume_id() + "\nevent: record\ndata: " + data.text() + "\n\n";
}

// `text` outlives the task.
Task<Result<>> RecordTail::send(ApiCall& call, const std::string& text) {
  CO_CHECK(call.check_again());
  co_return co_await call.exchange.write(text);
}

Task<Result<std::size_t>> RecordTail::send_new(ApiCall& call, Cursor& cursor, Duration wait) {
  eventlog::ReadRequest request;
  request.partition = {stream_.id, cursor.partition};
  request.from = cursor.next;
  request.records_max = kRecordsPerRead;
  request.wait = wait;
  auto read = co_await log_.read(request);
  std::string events;
  if (!read && read.error().code == ErrorCode::OutOfRange) {
    // Retention overtook the reader: say so and go on from what is left.
    auto info = log_.partition(request.partition);
    if (!info) co_return fail(ErrorCode::NotFound, "the stream is gone");
    events = fmt::format("event: skipped\ndata: {{\"partition\":{},\"from\":{},\"to\":{}}}\n\n",
                         cursor.partition, cursor.next, info->start);
    cursor.next = info->start;
    CO_CHECK(co_await send(call, events));
    co_return 1;
  }
  if (!read) co_return std::unexpected(std::move(read).error());
  for (const auto& record : read->records) {
    cursor.next = record.offset + 1;
    append_event(events, cursor, record);
  }
  cursor.next = std::max(cursor.next, read->next);
  if (!events.empty()) CO_CHECK(co_await send(call, events));
  co_return read->records.size();
}

Task<void> RecordTail::run(ApiCall& call) {
  constexpr http::Field kFields[] = {{"Content-Type", "text/event-stream"},
                                     {"Cache-Control", "no-store"}};
  if (!co_await call.exchange.start(200, kFields)) co_return;
  if (!co_await call.exchange.write(": connected\n\n")) co_return;
  auto last_sent = clock_.mono();
  auto wait = cursors_.size() == 1 ? kKeepAlive : kPollAmongPartitions;
  for (;;) {
    std::size_t sent = 0;
    for (auto& cursor : cursors_) {
      auto may_wait = sent == 0 && &cursor == &cursors_.back();
      auto count = co_await send_new(call, cursor, may_wait ? wait : Duration::zero());
      if (!count) co_return;
      sent += *count;
    }
    if (sent > 0) last_sent = clock_.mono();
    if (clock_.mono() - last_sent >= kKeepAlive) {
      const std::string keep_alive = ": keep-alive\n\n";
      if (!co_await send(call, keep_alive)) co_return;
      last_sent = clock_.mono();
    }
  }
}

}  // namespace weft::app
