// Clients of a cluster log that read what is not in memory, kept open between reads: whoever goes
// on where one stopped gets what that one has fetched already. Thread-safe; a reader that is taken
// belongs to its taker.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "eventlog/kafka_cluster/kafka_reader.h"

namespace weft::eventlog {

struct ClusterReader {
  std::unique_ptr<KafkaReader> client;
  bool committed_only = true;
  std::string topic;  // empty: it reads nothing
  std::int32_t partition = -1;
  Offset position = -1;  // the next record that it gives
};

class ClusterReaders {
 public:
  ClusterReaders(KafkaProperties client, std::size_t idle_max)
      : client_(std::move(client)), idle_max_(idle_max) {}

  // One that reads from there.
  Result<ClusterReader> take(const std::string& topic, std::int32_t partition, Offset from,
                             bool committed_only);
  // Not after a failure: then let it go.
  void give_back(ClusterReader reader, bool is_at_end);

 private:
  std::optional<ClusterReader> take_idle(const std::string& topic, std::int32_t partition,
                                         Offset from, bool committed_only);

  const KafkaProperties client_;
  const std::size_t idle_max_;
  std::mutex mutex_;
  std::list<ClusterReader> idle_;  // last used first
};

}  // namespace weft::eventlog
