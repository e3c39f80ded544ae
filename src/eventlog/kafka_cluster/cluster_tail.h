// The ends of the partitions that are read as they grow: one client for the process follows them,
// takes each record once into memory and wakes those who wait, however many read a partition. A
// partition that nobody has read for a minute is followed no more.
//
// Thread-safe; nothing blocks but the destructor.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "eventlog/event_log.h"
#include "eventlog/kafka_cluster/kafka_reader.h"
#include "runtime/clock.h"

namespace weft::eventlog {

class ClusterTail final : private KafkaReaderSink {
 public:
  struct Found {
    std::vector<Record> records;
    Offset next = 0;  // where to go on
    Offset end = 0;   // as far as it has read
  };

  // `moved` is told when the end of a partition moves, on the tail's thread.
  using OnMoved = std::function<void(PartitionId, Offset)>;

  static Result<std::unique_ptr<ClusterTail>> open(const KafkaProperties& properties,
                                                   std::size_t bytes_max, Clock& clock,
                                                   OnMoved moved);
  ~ClusterTail() override;

  // Follows the partition from there, unless it does already.
  void follow(const std::string& topic, PartitionId partition, Offset from);
  // Absent: the partition is not followed, or is not in memory from there on.
  std::optional<Found> read(const ReadRequest& request);
  // Calls `wake` once, on any thread: when there is something at or behind `from`, when the
  // partition is followed no more, or at once when either is so already. Its number ends it early.
  std::uint64_t wait(PartitionId partition, Offset from, std::function<void()> wake);
  void end_wait(PartitionId partition, std::uint64_t number);
  // Nothing of it is kept, and those who wait are woken.
  void forget(PartitionId partition);

 private:
  struct Waiter {
    std::uint64_t number = 0;
    Offset from = 0;
    std::function<void()> wake;
  };
  struct Followed {
    std::string topic;
    std::uint64_t tag = 0;
    bool is_started = false;
    Offset first = 0;  // all from there on is in memory
    Offset next = 0;   // all before is known
    std::deque<std::shared_ptr<const Record>> records;
    std::size_t bytes = 0;
    MonoTime used{};
    std::vector<Waiter> waiters;
  };
  using Wakes = std::vector<std::function<void()>>;

  ClusterTail(std::unique_ptr<KafkaReader> reader, std::size_t bytes_max, Clock& clock,
              OnMoved moved);
  void run();
  void start_and_stop();
  void drop(std::map<PartitionId, Followed>::iterator at, Wakes& wakes);
  void advance(PartitionId id, Followed& followed, Offset next, Wakes& wakes);
  void shrink(Followed& grown);

  void record(std::uint64_t tag, const ReceivedKafkaRecord& record) override;
  void reached_end(std::uint64_t tag, Offset next) override;
  void failed(std::uint64_t tag, Error error) override;

  const std::unique_ptr<KafkaReader> reader_;
  const std::size_t bytes_max_;
  Clock& clock_;
  const OnMoved moved_;
  std::mutex mutex_;  // over what follows
  std::map<PartitionId, Followed> followed_;
  std::map<std::uint64_t, PartitionId> by_tag_;
  std::vector<std::pair<std::string, std::int32_t>> to_stop_;
  std::uint64_t last_tag_ = 0;
  std::uint64_t last_waiter_ = 0;
  std::size_t bytes_ = 0;
  bool has_changed_ = false;  // something is to be started or stopped
  std::atomic<bool> is_over_{false};
  std::jthread thread_;
};

}  // namespace weft::eventlog
