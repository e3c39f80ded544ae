#include "app/watch/stream_rates.h"

#include <algorithm>

namespace weft::app {
namespace {

constexpr std::string_view kInternalPrefix = "__";

std::int64_t end_of(const eventlog::EventLog& log, const eventlog::StreamInfo& stream) {
  std::int64_t end = 0;
  for (std::int32_t i = 0; i < stream.settings.partitions; ++i) {
    if (auto partition = log.partition({stream.id, i})) end += partition->end;
  }
  return end;
}

}  // namespace

std::uint64_t StreamRates::sample(MonoTime now, const eventlog::EventLog& log) {
  auto streams = log.streams();
  std::lock_guard lock(mutex_);
  std::unordered_map<eventlog::StreamId, std::deque<Mark>> marks;
  std::int64_t total = 0;
  for (const auto& stream : streams) {
    auto& kept = marks[stream.id];
    if (auto known = marks_.find(stream.id); known != marks_.end()) {
      kept = std::move(known->second);
    } else if (last_sample_ != MonoTime{}) {
      kept.push_back({last_sample_, 0});
    }
    kept.push_back({now, end_of(log, stream)});
    if (!stream.settings.name.starts_with(kInternalPrefix)) total += kept.back().end;
    while (kept.size() > 1 && now - kept.front().at > kWindow) kept.pop_front();
  }
  marks_ = std::move(marks);
  last_sample_ = now;
  return static_cast<std::uint64_t>(total);
}

double StreamRates::per_second(MonoTime now, const eventlog::EventLog& log,
                               eventlog::StreamId stream) const {
  auto info = log.stream(stream);
  if (!info) return 0;
  auto end = end_of(log, *info);
  std::lock_guard lock(mutex_);
  Mark from{last_sample_, 0};
  if (auto known = marks_.find(stream); known != marks_.end()) {
    for (const auto& mark : known->second) {
      from = mark;
      if (now - mark.at <= kWindow) break;
    }
  }
  auto seconds = std::chrono::duration<double>(now - from.at).count();
  if (from.at == MonoTime{} || seconds <= 0) return 0;
  return static_cast<double>(std::max<std::int64_t>(0, end - from.end)) / seconds;
}

}  // namespace weft::app
