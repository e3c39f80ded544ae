#include "app/watch/lag_watch.h"

#include <algorithm>
#include <set>

#include "runtime/log.h"

namespace weft::app {
namespace {

std::int64_t whole_seconds(Duration duration) {
  return std::chrono::ceil<std::chrono::seconds>(duration).count();
}

}  // namespace

LagWatch::LagWatch(eventlog::EventLog& log, const eventlog::StreamCatalogue& streams,
                   kafka::GroupCoordinator* groups, Clock& clock, Metrics& metrics,
                   LagWatchOptions options)
    : log_(log),
      streams_(streams),
      groups_(groups),
      clock_(clock),
      metrics_(metrics),
      options_(options) {}

Task<void> LagWatch::run() {
  while (true) {
    co_await sample();
    const auto slept = co_await clock_.sleep_for(kStep);
    if (!slept) break;
  }
}

Task<void> LagWatch::sample() {
  std::set<std::string> tenants;
  for (const auto& stream : streams_.all()) tenants.insert(stream->info.settings.tenant);
  std::map<Key, WatchedGroup> now;
  Stamps stamps;
  for (const auto& tenant : tenants) {
    auto readers = co_await consumer_groups(log_, groups_, tenant);
    for (auto& reader : readers) {
      Key key(tenant, reader.name);
      auto group = co_await look_at(key, reader, stamps);
      show(key, reader, group);
      now.emplace(std::move(key), std::move(group));
    }
  }
  stamps_ = std::move(stamps);
  forget_gone(now);
  const std::lock_guard lock(mutex_);
  watched_ = std::move(now);
}

// Reads a record per partition only where the group has moved since the last look.
Task<WatchedGroup> LagWatch::look_at(Key key, Reader reader, Stamps& stamps) {
  WatchedGroup group;
  group.name = reader.name;
  group.members = reader.members;
  group.records = reader.lag();
  const auto now = clock_.now();
  for (const auto& position : reader.positions) {
    if (position.lag == 0) continue;
    const auto of = std::pair(key, position.partition);
    Stamp stamp;
    if (const auto known = stamps_.find(of); known != stamps_.end()) stamp = known->second;
    if (stamp.next != position.next) {
      const auto time = co_await time_of_next(log_, position);
      if (!time) continue;
      stamp = {position.next, *time};
    }
    stamps[of] = stamp;
    const Duration behind = now - stamp.time;
    if (behind <= group.behind) continue;
    group.behind = behind;
    group.furthest_stream = position.stream;
  }
  const auto before = find(key.first, key.second);
  if (before) group.history = before->history;
  group.history.push_back({now, group.records, group.behind});
  if (group.history.size() > kHistoryMax) group.history.pop_front();
  settle_alert(key, group, before ? &*before : nullptr);
  co_return group;
}

void LagWatch::settle_alert(const Key& key, WatchedGroup& group, const WatchedGroup* before) {
  const bool was = before != nullptr && before->alert_since.has_value();
  const bool is = options_.alert_after > Duration::zero() && group.behind > options_.alert_after;
  if (is) group.alert_since = was ? before->alert_since : clock_.now();
  if (is && !was) {
    log_warn("eventlog", "a consumer group is behind",
             {{"tenant", key.first},
              {"group", key.second},
              {"stream", group.furthest_stream},
              {"records", group.records},
              {"seconds", whole_seconds(group.behind)},
              {"members", group.members}});
  } else if (was && !is) {
    log_info("eventlog", "a consumer group has caught up",
             {{"tenant", key.first}, {"group", key.second}, {"records", group.records}});
  }
}

void LagWatch::set_partition_gauge(const Key& key, const ReaderPosition& position) {
  const std::tuple place(key.first, key.second, position.stream, position.partition.partition);
  auto known = partitions_.find(place);
  if (known == partitions_.end()) {
    if (partitions_.size() >= options_.series_max) return;
    auto* gauge = &metrics_.gauge("weft_eventlog_group_lag_records",
                                  "Records between a group's offset and the end of the partition",
                                  {{"tenant", key.first},
                                   {"group", key.second},
                                   {"stream", position.stream},
                                   {"partition", std::to_string(position.partition.partition)}});
    gauges_[key].push_back(gauge);
    known = partitions_.emplace(place, gauge).first;
  }
  known->second->set(position.lag);
}

void LagWatch::show(const Key& key, const Reader& reader, const WatchedGroup& group) {
  for (const auto& position : reader.positions) set_partition_gauge(key, position);
  const bool is_new = !gauges_.contains(key);
  if (is_new && gauges_.size() >= options_.series_max) return;
  auto& seconds = metrics_.gauge("weft_eventlog_group_lag_seconds",
                                 "Age of the oldest record that a group has not read",
                                 {{"tenant", key.first}, {"group", key.second}});
  auto& alert = metrics_.gauge("weft_eventlog_group_lag_alert",
                               "1 while a group is behind for longer than groups.lagAlert",
                               {{"tenant", key.first}, {"group", key.second}});
  seconds.set(whole_seconds(group.behind));
  alert.set(group.alert_since ? 1 : 0);
  auto& known = gauges_[key];
  for (auto* gauge : {&seconds, &alert}) {
    if (std::ranges::find(known, gauge) == known.end()) known.push_back(gauge);
  }
}

void LagWatch::forget_gone(const std::map<Key, WatchedGroup>& now) {
  // The same names give the same gauges when the group comes back.
  std::erase_if(gauges_, [&](const auto& entry) {
    if (now.contains(entry.first)) return false;
    for (auto* gauge : entry.second) gauge->set(0);
    return true;
  });
  std::erase_if(partitions_, [&](const auto& entry) {
    return !now.contains(Key(std::get<0>(entry.first), std::get<1>(entry.first)));
  });
}

std::vector<WatchedGroup> LagWatch::of_tenant(std::string_view tenant) const {
  const std::lock_guard lock(mutex_);
  std::vector<WatchedGroup> found;
  for (const auto& [key, group] : watched_) {
    if (key.first == tenant) found.push_back(group);
  }
  return found;
}

std::optional<WatchedGroup> LagWatch::find(std::string_view tenant, std::string_view group) const {
  const std::lock_guard lock(mutex_);
  const auto found = watched_.find(Key(tenant, group));
  return found == watched_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace weft::app
