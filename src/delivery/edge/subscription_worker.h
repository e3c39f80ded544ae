// Carries out one subscription on its loop: opens a lane for each partition, reads ahead, starts
// attempts up to the concurrency limit, and hands their outcomes to the journal.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "delivery/core/retry.h"
#include "delivery/edge/journal.h"
#include "delivery/subscription.h"
#include "runtime/task_group.h"

namespace weft::delivery {

// What all workers of one loop share.
struct LoopParts {
  DeliveryContext& context;
  Journal& journal;
  TaskGroup& readers;                     // cancelled at stop
  TaskGroup& attempts;                    // drained at stop
  std::function<void(WallTime)> wake_at;  // have next_due() looked at, at the latest then
};

class SubscriptionWorker final : public Wakeable,
                                 public std::enable_shared_from_this<SubscriptionWorker> {
 public:
  SubscriptionWorker(LoopParts parts, SubscriptionRef subscription);

  // Until stop(); spawn it once.
  Task<void> run(std::shared_ptr<SubscriptionWorker> self);
  void update(SubscriptionRef subscription);
  void stop();
  // Stops for good: its state is deleted.
  void retire();
  void enable();
  void redrive(Redrive redrive);

  void wake() override;
  // When it has to be woken, if nothing else happens.
  std::optional<WallTime> next_due();
  // Every second or so: new partitions, cursors of filtered events.
  void look_around();

  SubscriptionStatus status() const;
  std::vector<eventlog::NewRecord> everything() const;
  const Subscription& subscription() const { return *spec_; }
  bool is_stopped() const { return stopped_; }

 private:
  struct Job {
    LanePtr lane;  // null for a redrive
    eventlog::Offset offset = 0;
    std::uint32_t attempt = 1;               // since it was taken, or redriven
    std::optional<eventlog::Record> record;  // absent: to be read
    std::optional<Redrive> redrive;
  };
  // A job with everything that its attempt needs.
  struct Attempt;

  // Lanes.
  Task<bool> open_lanes();
  // A lane of that partition, restored or new; null when it is open already.
  LanePtr make_lane(const eventlog::StreamInfo& stream, std::int32_t partition, bool is_first);
  void show_unsettled(const Lane& lane);
  void close_lane(Lane& lane);
  LanePtr find_lane(eventlog::PartitionId partition) const;
  void close_lanes_of_other_streams(const std::vector<eventlog::StreamInfo>& streams);
  Task<void> read_ahead(std::shared_ptr<SubscriptionWorker> self, LanePtr lane);
  // After a refused read; false when the lane has ended.
  Task<bool> recover(LanePtr lane, Error error);
  void skip_to_what_exists(Lane& lane);
  void accept(const LanePtr& lane, eventlog::ReadResult result);
  bool wants_more(const Lane& lane) const;
  bool is_expired(const Lane& lane, const eventlog::Record& record) const;

  // Dispatch.
  bool may_start(WallTime now) const;
  std::optional<Job> next_job(WallTime now);
  std::optional<Job> next_of_lane(const LanePtr& lane, WallTime now);
  std::optional<eventlog::Record> take_new(Lane& lane);
  std::optional<Job> next_redrive(WallTime now);
  void start(Job job);
  void queue_redrive(Redrive redrive);
  std::uint64_t lag_records() const;
  std::uint64_t lag_of(const Lane& lane) const;
  void give_back(Job& job, WallTime when);

  // Attempts.
  Task<void> attempt(std::shared_ptr<SubscriptionWorker> self, Job job);
  Task<Result<eventlog::Record>> read_event(const Job& job);
  void describe(Attempt& attempt) const;
  http::ClientRequest begin(Attempt& attempt);
  void finish(Attempt& attempt, Result<http::ClientResponse> response);
  void finish_lost(Attempt& attempt, std::string reason);
  void finish_expired(Attempt& attempt);
  // Gives the delivery up without an attempt.
  void give_up(Attempt& attempt, std::string error, std::string reason);
  void conclude(Attempt& attempt, AttemptDetail detail, Decision decision);
  void record_span(const Attempt& attempt, const AttemptDetail& detail) const;
  eventlog::NewRecord dead_record(const Attempt& attempt, const DeliverySummary& delivery) const;

  // State.
  void set_disabled(std::string reason);
  eventlog::NewRecord state_record() const;
  void restore_state_record();

  LoopParts parts_;
  SubscriptionRef spec_;
  std::vector<LanePtr> lanes_;
  std::size_t turn_ = 0;                       // lanes take turns
  std::multimap<WallTime, Redrive> redrives_;  // by when they are due
  std::uint32_t in_flight_ = 0;
  std::optional<WallTime> held_until_;
  bool disabled_ = false;
  std::string disabled_reason_;
  WallTime active_since_;
  bool is_known_ = false;  // it has a state record
  bool has_too_many_dead_ = false;
  bool lanes_are_stale_ = true;
  bool stopped_ = false;
  bool retired_ = false;
  bool woken_ = false;
  Suspension wake_;

  Counter* delivered_ = nullptr;
  Counter* failed_ = nullptr;
  Counter* given_up_ = nullptr;
  Counter* skipped_ = nullptr;
  Counter* expired_ = nullptr;
  Gauge* dead_letters_ = nullptr;
  Gauge* failing_ = nullptr;
  Gauge* lag_ = nullptr;
  Histogram* durations_ = nullptr;
};

}  // namespace weft::delivery
