// Appends entries of several records, each as a whole or not at all: entries that come while a
// transaction is being committed share the next one. A writer has the transactional id of its name,
// so whoever opens the name again fences it.
//
// Thread-safe; entries of one caller keep their order.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "eventlog/kafka_cluster/cluster_entry.h"

namespace weft::eventlog {

struct ClusterWriterOptions {
  KafkaProperties client;
  std::string transactional_id;
  Duration append_timeout{};  // of a record, and of a commit
  Duration open_timeout{};
  std::size_t queue_max = 0;  // entries that wait
};

class ClusterWriter {
 public:
  // Blocks until the transaction of whoever had the id before is ended.
  static Result<std::unique_ptr<ClusterWriter>> open(ClusterWriterOptions options);
  ~ClusterWriter();  // fails what waits

  // Completed in time: Conflict when the writer is fenced, or has failed for good.
  // ResourceExhausted at once when too many wait.
  Result<> append(ClusterEntryPtr entry);
  bool has_ended() const;

 private:
  // An entry of the transaction under way, with what its records came to.
  struct Sent {
    ClusterEntryPtr entry;
    std::optional<Error> refused;
  };
  using Batch = std::deque<Sent>;

  explicit ClusterWriter(ClusterWriterOptions options) : options_(std::move(options)) {}
  void run();
  Batch take();
  void carry_out(Batch batch);
  Result<> send(Sent& sent);
  Result<> commit();
  Result<> abort();
  void end(const Error& why);
  void fail_all(Batch& batch, const Error& why);

  const ClusterWriterOptions options_;
  std::unique_ptr<KafkaProducer> client_;  // of the thread
  mutable std::mutex mutex_;               // over what follows
  std::condition_variable arrived_;
  std::deque<ClusterEntryPtr> waiting_;
  std::optional<Error> ended_;
  bool is_over_ = false;
  std::jthread thread_;
};

}  // namespace weft::eventlog
