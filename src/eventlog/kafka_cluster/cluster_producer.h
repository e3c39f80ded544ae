// Appends entries of one record: an idempotent producer, which stores each once however often it
// tries. Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "eventlog/kafka_cluster/cluster_entry.h"

namespace weft::eventlog {

class ClusterProducer {
 public:
  static Result<std::unique_ptr<ClusterProducer>> open(KafkaProperties properties);
  ~ClusterProducer();  // what has no outcome yet fails

  // ResourceExhausted: the queue is full. Else the entry is completed, in time.
  Result<> send(const ClusterEntryPtr& entry);
  // After which it takes nothing more.
  std::optional<Error> fatal() const { return client_->fatal(); }

 private:
  ClusterProducer() = default;

  std::unique_ptr<KafkaProducer> client_;
  std::atomic<bool> is_over_{false};
  std::jthread serving_;
};

}  // namespace weft::eventlog
