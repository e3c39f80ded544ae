#include "app/api/last_records.h"

#include <algorithm>

namespace weft::app {

Task<std::optional<WallTime>> LastRecords::of(const eventlog::StreamInfo& stream) {
  std::optional<WallTime> latest;
  for (std::int32_t i = 0; i < stream.settings.partitions; ++i) {
    auto time = co_await of_partition({stream.id, i});
    if (time) latest = latest ? std::max(*latest, *time) : *time;
  }
  co_return latest;
}

Task<std::optional<WallTime>> LastRecords::of_partition(eventlog::PartitionId id) {
  auto info = log_.partition(id);
  if (!info || info->end <= info->start) co_return std::nullopt;
  {
    std::lock_guard lock(mutex_);
    if (auto it = known_.find(id); it != known_.end() && it->second.end == info->end) {
      co_return it->second.time;
    }
  }
  eventlog::ReadRequest request;
  request.partition = id;
  // The very last may be the marker of a transaction.
  constexpr eventlog::Offset kBack = 4;
  request.from = std::max(info->start, info->end - kBack);
  request.committed_only = false;
  auto read = co_await log_.read(request);
  if (!read) co_return std::nullopt;
  Last last;
  last.end = info->end;
  if (!read->records.empty()) last.time = read->records.back().timestamp;
  std::lock_guard lock(mutex_);
  // A last offset that is a hole tells nothing: what was known before still stands.
  if (auto it = known_.find(id); it != known_.end() && !last.time) last.time = it->second.time;
  known_.insert_or_assign(id, last);
  co_return last.time;
}

}  // namespace weft::app
