// One producer of a load: a thread that sends when records are due, one that takes the broker's
// answers.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/load/send_schedule.h"
#include "app/load/stream_load.h"

namespace weft::app {

// The same for all clients of a run.
struct LoadTimes {
  std::uint64_t run = 0;
  MonoTime begin{};     // of the warm-up
  MonoTime measured{};  // from here
  MonoTime end{};       // to here
  MonoTime over{};      // when draining ends

  bool measures(MonoTime due) const { return due >= measured && due < end; }
};

class LoadProducer {
 public:
  // Has its transactions ready when it returns. The plan and the clock outlive it.
  static Result<std::unique_ptr<LoadProducer>> open(const StreamLoadPlan& plan, int number,
                                                    std::uint64_t run, Clock& clock);
  ~LoadProducer();

  void start(const LoadTimes& times);
  // Waits for both threads.
  void join();
  // After join().
  const ProduceOutcome& outcome() const { return outcome_; }
  const std::map<std::string, std::uint64_t>& errors() const { return errors_; }
  std::uint64_t acknowledged_of_all() const { return acknowledged_of_all_; }

 private:
  LoadProducer(const StreamLoadPlan& plan, int number, Clock& clock);

  void send_all();
  void send_records();
  void send_transactions();
  // Whether it is with the library; false: the time is over, or the producer has ended.
  bool send(MonoTime due);
  void wait_until(MonoTime when);
  std::optional<MonoTime> next_due();
  bool begin_transaction();
  void finish_transaction(std::vector<MonoTime>& due);
  void serve();
  void take(const eventlog::KafkaOutcome& outcome);
  void settle(MonoTime due, const std::string* error);
  void count_unfinished();

  const StreamLoadPlan& plan_;
  const int number_;
  Clock& clock_;
  LoadTimes times_;
  SendSchedule schedule_;
  std::atomic<std::uint64_t> sent_{0};  // by the sending thread
  std::string value_;
  std::unique_ptr<eventlog::KafkaProducer> client_;
  eventlog::KafkaProducer::Topic* topic_ = nullptr;

  std::mutex mutex_;  // over what follows, which both threads use
  std::condition_variable answers_;
  std::condition_variable ticks_;  // nobody notifies it: sleeping until a moment
  std::uint64_t answered_ = 0;
  bool sent_all_ = false;
  std::string transaction_error_;  // of a record of the open transaction

  // Records in transactions count when those commit.
  ProduceOutcome outcome_;
  std::uint64_t acknowledged_of_all_ = 0;
  std::map<std::string, std::uint64_t> errors_;
  std::jthread sending_;
  std::jthread serving_;
};

}  // namespace weft::app
