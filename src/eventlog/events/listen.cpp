// EventsHandler: server-sent events.
#include <algorithm>
#include <charconv>
#include <deque>

#include "eventlog/events/event_source.h"
#include "eventlog/events/event_view.h"
#include "eventlog/events/events_call.h"
#include "runtime/on_loop.h"
#include "runtime/suspension.h"
#include "runtime/task_group.h"
#include "runtime/with_timeout.h"

namespace weft::eventlog {

namespace {

// How soon a listener notices that the server stops, or that its key is revoked.
constexpr Duration kLook = 1s;
constexpr std::uint32_t kListenReadBytes = 256 * 1024;
constexpr std::uint32_t kListenReadRecords = 500;
constexpr std::size_t kWriteBytes = 64 * 1024;

struct Feed {
  PartitionId partition;
  Offset next = 0;  // to be read
  std::deque<Record> ready;
  Suspension room;
};

// The partitions that one listener follows, each read by a task of its own.
struct Tail {
  std::vector<std::unique_ptr<Feed>> feeds;
  Suspension arrived;
  bool has_arrived = false;
  bool ended = false;
  std::optional<Error> failure;

  void wake() {
    has_arrived = true;
    arrived.wake();
  }
};

Task<Result<>> until_arrived(Tail& tail) {
  while (!tail.has_arrived) CO_CHECK(co_await tail.arrived.wait());
  co_return Result<>();
}

// Reading goes on at the first record that exists when retention was faster than the listener.
bool skip_forward(EventLog& log, Feed& feed, const Error& error) {
  auto info = log.partition(feed.partition);
  if (error.code != ErrorCode::OutOfRange || !info || feed.next >= info->start) return false;
  feed.next = info->start;
  return true;
}

Task<void> follow(EventLog& log, Tail& tail, Feed& feed) {
  while (!tail.ended) {
    if (!feed.ready.empty()) {
      auto woken = co_await feed.room.wait();
      if (!woken) co_return;
      continue;
    }
    ReadRequest request;
    request.partition = feed.partition;
    request.from = feed.next;
    request.bytes_max = kListenReadBytes;
    request.records_max = kListenReadRecords;
    request.wait = kLook;
    auto result = co_await log.read(request);
    if (tail.ended) co_return;
    if (!result) {
      if (skip_forward(log, feed, result.error())) continue;
      tail.failure = std::move(result).error();
      tail.wake();
      co_return;
    }
    feed.next = result->next;
    for (auto& record : result->records) feed.ready.push_back(std::move(record));
    if (!feed.ready.empty()) tail.wake();
  }
}

// The oldest of what is ready, so that partitions come out roughly by time.
Feed* first_ready(Tail& tail) {
  Feed* first = nullptr;
  for (auto& feed : tail.feeds) {
    if (feed->ready.empty()) continue;
    if (first == nullptr || feed->ready.front().timestamp < first->ready.front().timestamp)
      first = feed.get();
  }
  return first;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  for (auto& [key, value] : http::parse_query(query)) {
    if (key == name) return std::move(value);
  }
  return std::nullopt;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

// Where to begin in one partition.
Task<Result<Offset>> position_from(EventLog& log, PartitionId partition, std::string from) {
  auto info = log.partition(partition);
  if (!info) co_return fail(ErrorCode::NotFound, "there is no partition {}", partition.partition);
  if (from.empty() || from == "latest") co_return info->end;
  if (from == "earliest") co_return info->start;
  if (auto offset = whole_number(from)) co_return std::clamp(*offset, info->start, info->end);
  auto time = parse_rfc3339(from);
  if (!time) {
    co_return fail(ErrorCode::InvalidArgument,
                   "from is earliest, latest, an offset or an RFC 3339 time, not {}", from);
  }
  co_return co_await log.offset_at(partition, *time);
}

}  // namespace

struct EventsHandler::Listener {
  std::vector<std::int32_t> partitions;
  std::vector<Offset> next;  // to be sent, for each of them
};

Task<Result<EventsHandler::Listener>> EventsHandler::place_listener(http::Exchange& exchange,
                                                                    Call& call) {
  Listener out;
  auto count = call.stream->info.settings.partitions;
  auto wanted = query_value(exchange.head().query, "partition");
  for (std::int32_t p = 0; p < count; ++p) {
    if (!wanted || *wanted == std::to_string(p)) out.partitions.push_back(p);
  }
  if (out.partitions.empty()) {
    co_return fail(ErrorCode::InvalidArgument, "partition is 0 to {}, not {}", count - 1, *wanted);
  }
  auto from = query_value(exchange.head().query, "from").value_or("");
  for (auto p : out.partitions) {
    CO_TRY(auto offset, co_await position_from(parts_.log, {call.stream->info.id, p}, from));
    out.next.push_back(offset);
  }
  auto last_id = exchange.head().find("last-event-id");
  if (!last_id || last_id->empty()) co_return out;
  auto resumed = parse_position(*last_id);
  if (!resumed)
    co_return fail(ErrorCode::InvalidArgument, "Last-Event-ID is no id of this stream: {}",
                   *last_id);
  for (const auto& position : *resumed) {
    for (std::size_t i = 0; i < out.partitions.size(); ++i) {
      if (out.partitions[i] == position.partition) out.next[i] = position.next;
    }
  }
  co_return out;
}

Task<void> EventsHandler::listen(http::Exchange& exchange, Call& call) {
  auto listener = co_await place_listener(exchange, call);
  if (!listener) {
    auto message = std::move(listener).error().message;
    co_return co_await answer(exchange, call, call.refusal(400, "INVALID_POSITION", message));
  }
  if (listeners_.fetch_add(1) >= parts_.limits.listeners_max) {
    listeners_.fetch_sub(1);
    auto refusal =
        call.refusal(503, "TOO_MANY_LISTENERS", "as many listeners as allowed are connected");
    co_return co_await answer(exchange, call, std::move(refusal.add("Retry-After", "10")));
  }
  open_.add(1);
  const http::Field fields[] = {{"Content-Type", "text/event-stream"},
                                {"Cache-Control", "no-store"},
                                {"X-Accel-Buffering", "no"}};
  auto started = co_await exchange.start(200, fields);
  if (started) co_await send_events(exchange, call, std::move(*listener));
  open_.add(-1);
  listeners_.fetch_sub(1);
}

bool EventsHandler::may_still_listen(const http::RequestHead& head, const Call& call) const {
  auto principal = principal_of(head);
  if (!principal) return false;
  identity::ResourceRef resource{call.principal->tenant, "Stream", call.stream_name};
  return identity::Decisions()
      .decide(**principal, identity::action::kStreamRead, resource)
      .allowed();
}

Task<void> EventsHandler::send_events(http::Exchange& exchange, Call& call, Listener listener) {
  Tail tail;
  TaskGroup readers(co_await current_loop(), "events listener", listener.partitions.size());
  for (std::size_t i = 0; i < listener.partitions.size(); ++i) {
    auto& feed = tail.feeds.emplace_back(std::make_unique<Feed>());
    feed->partition = {call.stream->info.id, listener.partitions[i]};
    feed->next = listener.next[i];
    readers.spawn(follow(parts_.log, tail, *feed));
  }
  // At once, so that a listener knows that it is connected.
  std::string out = ": listening\n\n";
  auto last_write = parts_.clock.mono();
  auto last_look = last_write;
  const auto ttl = call.stream->declared->ttl;
  while (!stopping_.load(std::memory_order_relaxed) && !tail.failure) {
    if (const auto now = parts_.clock.mono(); now - last_look >= kLook) {
      if (!may_still_listen(exchange.head(), call)) break;
      last_look = now;
    }
    tail.has_arrived = false;
    while (auto* feed = first_ready(tail)) {
      const auto& record = feed->ready.front();
      auto place = std::ranges::find(listener.partitions, feed->partition.partition) -
                   listener.partitions.begin();
      listener.next[static_cast<std::size_t>(place)] = record.offset + 1;
      if (ttl > Duration::zero() && parts_.clock.now() - record.timestamp > ttl) {
        expired_.add();
        feed->ready.pop_front();
        if (feed->ready.empty()) feed->room.wake();
        continue;
      }
      EventView event(record, call.stream_name, feed->partition.partition);
      append_event(out, position_text(listener.partitions, listener.next), event.structured_json());
      sent_.add();
      feed->ready.pop_front();
      if (feed->ready.empty()) feed->room.wake();
      if (out.size() >= kWriteBytes) break;
    }
    if (out.empty() && parts_.clock.mono() - last_write >= parts_.limits.keep_alive)
      out = ": keep-alive\n\n";
    if (!out.empty()) {
      auto written = co_await exchange.write(out);
      if (!written) break;
      out.clear();
      last_write = parts_.clock.mono();
      continue;
    }
    auto woken = co_await with_timeout(parts_.clock, kLook, until_arrived(tail));
    if (!woken && woken.error().code == ErrorCode::Cancelled) break;
  }
  tail.ended = true;
  readers.cancel();
  co_await readers.join();
  auto finished = co_await exchange.finish();
  std::ignore = finished;
}

}  // namespace weft::eventlog
