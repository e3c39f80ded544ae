// What is known of the streams of a cluster: each topic with a tenant in its name, its settings,
// and where its partitions stood when somebody looked last. Calls of the cluster block.
// Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "eventlog/kafka_cluster/kafka_client.h"
#include "eventlog/kafka_cluster/topic_settings.h"
#include "runtime/clock.h"

namespace weft::eventlog {

class ClusterTopics {
 public:
  static Result<std::unique_ptr<ClusterTopics>> open(const KafkaProperties& client,
                                                     std::int32_t replicas, Duration wait,
                                                     Clock& clock);

  std::optional<StreamInfo> find(StreamId id) const;
  std::optional<StreamInfo> find(const std::string& topic) const;
  Result<StreamInfo> known(StreamId id) const;  // NotFound
  std::vector<StreamInfo> all() const;
  std::optional<PartitionInfo> partition(PartitionId id) const;
  // Somebody read that far.
  void moved(PartitionId id, Offset end);
  // This process appended so far, and was told so: those records are there, although a broker may
  // still be about to write the marker that makes them readable.
  void wrote(PartitionId id, Offset end);
  Offset written(PartitionId id) const;

  // Streams that others made, changed or deleted, and where all partitions stand.
  Result<> load();
  Result<> look_at_ends();
  // Where one stands now.
  Result<PartitionInfo> look_at(PartitionId id);
  Result<std::optional<Offset>> offset_at(PartitionId id, WallTime time);

  Result<StreamInfo> create(const StreamSettings& settings);
  Result<StreamInfo> alter(StreamId id, const StreamSettings& settings);
  Result<> remove(StreamId id);

 private:
  ClusterTopics(std::int32_t replicas, Duration wait, Clock& clock)
      : replicas_(replicas), wait_(wait), clock_(clock) {}
  Result<> meet(const StreamSettings& settings);
  void forget_missing(const std::set<std::string>& there);
  StreamInfo keep(const StreamSettings& settings);
  StreamInfo keep_locked(const StreamSettings& settings);
  Result<> look_at_known_ends();
  Result<> wait_for_leaders(const StreamInfo& stream);

  const std::int32_t replicas_;
  const Duration wait_;
  Clock& clock_;
  std::unique_ptr<KafkaAdmin> committed_;  // its ends are stable ones
  std::unique_ptr<KafkaAdmin> durable_;
  mutable std::mutex mutex_;  // over what follows
  std::map<StreamId, StreamInfo> by_id_;
  std::map<std::string, StreamId> by_topic_;  // also of topics that are missing now
  std::map<std::string, int> missing_;        // from so many answers in turn
  std::map<PartitionId, PartitionInfo> partitions_;
  std::map<PartitionId, Offset> written_;
  std::uint32_t last_id_ = 0;
};

}  // namespace weft::eventlog
