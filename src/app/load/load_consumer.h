// One consumer of a load: a member of the run's group on a thread of its own.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>

#include "app/load/load_producer.h"

namespace weft::app {

// What all consumers of a run share. Any thread.
struct LoadReceipts {
  // Since the group is complete and the load begins; what came before is of no interest.
  std::atomic<const LoadTimes*> times{nullptr};
  std::atomic<std::uint64_t> received{0};  // of this run, the warm-up included
  std::atomic<std::size_t> assigned{0};    // partitions that have a reader
  std::atomic<std::size_t> ended{0};       // partitions that were read to their end
  std::atomic<bool> over{false};
};

class LoadConsumer final : private eventlog::KafkaSink {
 public:
  // A member of the group.
  static Result<std::unique_ptr<LoadConsumer>> join_group(const StreamLoadPlan& plan,
                                                          const std::string& group, Clock& clock);
  // A reader of these partitions from their start.
  static Result<std::unique_ptr<LoadConsumer>> read_all(const StreamLoadPlan& plan,
                                                        const std::vector<std::int32_t>& partitions,
                                                        Clock& clock);
  ~LoadConsumer() override;

  // Reads until `receipts.over`; they outlive it.
  void start(LoadReceipts& receipts);
  void join();
  // After join().
  const ConsumeOutcome& outcome() const { return outcome_; }
  const std::map<std::string, std::uint64_t>& errors() const { return errors_; }
  std::uint64_t records() const { return records_; }
  std::uint64_t bytes() const { return bytes_; }
  MonoTime first() const { return first_; }
  MonoTime last() const { return last_; }

 private:
  explicit LoadConsumer(Clock& clock) : clock_(clock) {}

  void read();
  void record(const eventlog::ReceivedKafkaRecord& record) override;
  void reached_end(std::int32_t partition, eventlog::Offset next) override;
  void failed(Error error) override;

  Clock& clock_;
  std::unique_ptr<eventlog::KafkaConsumer> client_;
  LoadReceipts* receipts_ = nullptr;
  std::unordered_map<std::int32_t, eventlog::Offset> next_;  // per partition
  std::unordered_map<std::int32_t, bool> ended_;
  std::uint64_t records_ = 0;
  std::uint64_t bytes_ = 0;
  MonoTime first_{};
  MonoTime last_{};
  ConsumeOutcome outcome_;
  std::map<std::string, std::uint64_t> errors_;
  std::jthread reading_;
};

}  // namespace weft::app
