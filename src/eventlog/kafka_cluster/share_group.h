// Spreads the partitions of a topic over the processes that have joined, by a consumer group of the
// cluster. Each partition stands for a share of some work; nothing is consumed. When a process
// comes or goes, all give everything up and take what they get then (range, eager):
// librdkafka 2.0.2, which is Debian's, crashes in incremental rebalances.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "eventlog/kafka_cluster/kafka_cluster_log.h"

namespace weft::eventlog {

// Called on the group's thread.
class ShareHolder {
 public:
  virtual ~ShareHolder() = default;
  virtual void take(std::vector<std::int32_t> shares) = 0;
  // Returns when nothing is done for these shares any more. `lost`: others may have them already.
  virtual void give_up(std::vector<std::int32_t> shares, bool lost) = 0;
};

struct ShareGroupOptions {
  std::string group;
  std::string topic;  // a stream of tenant default, by the stream's name
  Duration session_timeout = std::chrono::seconds(10);
};

class ShareGroup {
 public:
  // Does not wait for the cluster. `holder` outlives it.
  static Result<std::unique_ptr<ShareGroup>> open(const KafkaClusterOptions& cluster,
                                                  ShareGroupOptions options, ShareHolder& holder);
  // Gives everything up, and leaves, so that others take over at once.
  ~ShareGroup();

 private:
  struct State;
  explicit ShareGroup(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weft::eventlog
