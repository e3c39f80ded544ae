#include "app/watch/group_lag.h"

#include <algorithm>
#include <map>

namespace weft::app {

std::int64_t Reader::lag() const {
  std::int64_t lag = 0;
  for (const auto& position : positions) lag += position.lag;
  return lag;
}

Task<std::vector<Reader>> consumer_groups(const eventlog::EventLog& log,
                                          kafka::GroupCoordinator* groups, std::string tenant) {
  std::map<Uuid, eventlog::StreamInfo> streams;
  for (auto& stream : log.streams()) streams.emplace(stream.topic_id, std::move(stream));
  std::vector<Reader> readers;
  if (groups == nullptr) co_return readers;
  auto summaries = co_await groups->list(tenant);
  for (const auto& summary : summaries) {
    kafka::GroupKey key{tenant, summary.group};
    Reader reader;
    reader.name = summary.group;
    auto offsets = (co_await groups->offsets(key)).committed;
    for (const auto& [of, committed] : offsets) {
      auto stream = streams.find(of.topic);
      if (stream == streams.end()) continue;
      const auto& info = stream->second;
      auto partition = log.partition({info.id, of.partition});
      if (!partition) continue;
      auto lag = std::max<std::int64_t>(0, partition->end - committed.offset);
      reader.positions.push_back(
          {{info.id, of.partition}, info.settings.name, committed.offset, lag});
    }
    auto description = co_await groups->describe(key);
    reader.state = kafka::name(description.state);
    reader.members = description.members.size();
    readers.push_back(std::move(reader));
  }
  co_return readers;
}

Reader reader_of(const delivery::SubscriptionStatus& subscription) {
  Reader reader;
  reader.name = subscription.name;
  reader.is_subscription = true;
  reader.behind = subscription.lag_time;
  for (const auto& position : subscription.positions) {
    reader.positions.push_back(
        {position.partition, {}, position.next, static_cast<std::int64_t>(position.lag)});
  }
  return reader;
}

Task<std::optional<WallTime>> time_of_next(eventlog::EventLog& log, ReaderPosition position) {
  auto info = log.partition(position.partition);
  if (!info) co_return std::nullopt;
  eventlog::ReadRequest request;
  request.partition = position.partition;
  request.from = std::max(position.next, info->start);
  request.records_max = 1;
  auto read = co_await log.read(request);
  if (!read || read->records.empty()) co_return std::nullopt;
  co_return read->records.front().timestamp;
}

Task<Duration> time_behind(eventlog::EventLog& log, WallTime now,
                           std::vector<ReaderPosition> positions) {
  Duration behind{};
  for (const auto& position : positions) {
    if (position.lag == 0) continue;
    const auto since = co_await time_of_next(log, position);
    if (since) behind = std::max(behind, Duration(now - *since));
  }
  co_return behind;
}

void write_reader(JsonWriter& out, const Reader& reader, Duration behind) {
  out.object()
      .member("group", reader.name)
      .member("kind", reader.is_subscription ? "subscription" : "consumer-group");
  if (!reader.is_subscription) {
    out.member("state", reader.state).member("members", reader.members);
  }
  out.member("lag", reader.lag())
      .member("lagSeconds", std::chrono::duration<double>(behind).count())
      .key("offsets")
      .array();
  for (const auto& position : reader.positions) {
    out.object();
    if (!position.stream.empty()) out.member("stream", position.stream);
    out.member("partition", position.partition.partition)
        .member("offset", position.next)
        .member("lag", position.lag)
        .end();
  }
  out.end().end();
}

}  // namespace weft::app
