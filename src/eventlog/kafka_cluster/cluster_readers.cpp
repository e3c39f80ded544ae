#include "eventlog/kafka_cluster/cluster_readers.h"

#include <algorithm>

namespace weft::eventlog {
namespace {

// Short: what is read is there, and a reader that is needed elsewhere is not kept waiting.
constexpr Duration kCatchUpFetchWait = 20ms;

}  // namespace

std::optional<ClusterReader> ClusterReaders::take_idle(const std::string& topic,
                                                       std::int32_t partition, Offset from,
                                                       bool committed_only) {
  std::scoped_lock lock(mutex_);
  auto best = std::ranges::find_if(idle_, [&](const ClusterReader& reader) {
    return reader.committed_only == committed_only && reader.topic == topic &&
           reader.partition == partition && reader.position == from;
  });
  if (best == idle_.end())
    best = std::ranges::find(idle_, committed_only, &ClusterReader::committed_only);
  if (best == idle_.end()) return std::nullopt;
  auto found = std::move(*best);
  idle_.erase(best);
  return found;
}

Result<ClusterReader> ClusterReaders::take(const std::string& topic, std::int32_t partition,
                                           Offset from, bool committed_only) {
  auto found = take_idle(topic, partition, from, committed_only);
  if (!found) {
    TRY(auto client, KafkaReader::open(client_, committed_only, kCatchUpFetchWait));
    found = ClusterReader{std::move(client), committed_only, {}, -1, -1};
  }
  auto& reader = *found;
  const bool goes_on =
      reader.topic == topic && reader.partition == partition && reader.position == from;
  if (goes_on) return std::move(reader);
  if (!reader.topic.empty()) reader.client->stop(reader.topic, reader.partition);
  reader.topic.clear();
  // The library drops what is left in its queue of an earlier start (versions of its operations).
  CHECK(reader.client->start(topic, partition, from, static_cast<std::uint64_t>(from)));
  reader.topic = topic;
  reader.partition = partition;
  reader.position = from;
  return std::move(reader);
}

void ClusterReaders::give_back(ClusterReader reader, bool is_at_end) {
  if (is_at_end) {  // else it would ask the broker for more again and again
    reader.client->stop(reader.topic, reader.partition);
    reader.topic.clear();
  }
  std::list<ClusterReader> closed;  // outside of the lock: closing waits for threads
  std::scoped_lock lock(mutex_);
  idle_.push_front(std::move(reader));
  if (idle_.size() > idle_max_) closed.splice(closed.begin(), idle_, std::prev(idle_.end()));
}

}  // namespace weft::eventlog
