// Records what came of attempts: one log entry takes all outcomes that queued while the entry
// before it was being synced, together with the cursors that they move. So a cursor never stands in
// the log before the attempt that it rests on, and a success costs a share of one fsync.
//
// Lives on one loop. An entry that the log refuses is tried again; meanwhile outcomes pile up to a
// limit, and no attempt begins (is_full).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "delivery/core/retry.h"
#include "delivery/edge/delivery_context.h"
#include "delivery/edge/lane.h"
#include "runtime/suspension.h"

namespace weft::delivery {

using LanePtr = std::shared_ptr<Lane>;

// Whoever waits for something that the journal frees.
class Wakeable {
 public:
  virtual ~Wakeable() = default;
  virtual void wake() = 0;
};

// One attempt's outcome.
struct AttemptOutcome {
  DeliverySummary delivery;  // after the attempt
  std::string attempt_json;
  Decision decision;
  LanePtr lane;                              // null for a redriven dead letter
  eventlog::Offset offset = 0;               // in the lane
  std::optional<eventlog::NewRecord> dead;   // for the stream of dead letters
  std::optional<eventlog::NewRecord> state;  // of the subscription, when it changes
  std::shared_ptr<Wakeable> owner;           // woken when the verdict is in its lane
};

class Journal {
 public:
  // `wake_all` is called when it is no longer full. `everything` gives all cursors and states of
  // the loop.
  Journal(DeliveryContext& context, std::function<void()> wake_all,
          std::function<std::vector<eventlog::NewRecord>()> everything);

  // No attempt may begin.
  bool is_full() const {
    return context_.is_fenced || queue_.size() + in_append_ >= context_.parts.limits.outcomes_max;
  }
  void submit(AttemptOutcome outcome);
  // To be written with the next entry, or at the next tick.
  void submit_cursor_record(eventlog::NewRecord record);
  // The same, and durable when it returns; false when the journal gave up.
  Task<bool> record(std::vector<eventlog::NewRecord> records);
  void mark_dirty(LanePtr lane);
  // Once a second: cursors that moved without an attempt, and everything when it is time.
  void tick();

  // Until closed and drained.
  Task<void> run();
  // From now on an entry that the log refuses is given up: its deliveries are made again by the
  // next life.
  void hurry() { is_hurried_ = true; }
  void close();

 private:
  struct Entry;
  bool has_work() const;
  Entry build(const std::vector<AttemptOutcome>& outcomes,
              const std::vector<eventlog::NewRecord>& records) const;
  eventlog::NewRecord cursor_of(Lane& lane) const;
  std::vector<AttemptOutcome> take_outcomes();
  Task<void> flush();
  Task<std::optional<std::vector<eventlog::Appended>>> append(
      const std::vector<AttemptOutcome>& outcomes, const std::vector<eventlog::NewRecord>& records);
  void publish(std::vector<AttemptOutcome>& outcomes,
               const std::vector<eventlog::Appended>& appended);

  DeliveryContext& context_;
  std::function<void()> wake_all_;
  std::function<std::vector<eventlog::NewRecord>()> everything_;
  std::vector<AttemptOutcome> queue_;
  std::vector<eventlog::NewRecord> records_;
  struct Waiter {
    Suspension wake;
    bool is_done = false;
    bool is_durable = false;
  };
  std::vector<std::shared_ptr<Waiter>> waiters_;
  std::set<LanePtr> dirty_;
  std::size_t in_append_ = 0;
  bool ticked_ = false;
  bool closed_ = false;
  bool is_hurried_ = false;
  bool has_given_up_ = false;     // on an entry
  std::uint64_t written_at_ = 0;  // context_.cursor_bytes when everything was written last
  Suspension arrived_;
  Counter& entries_;
  Histogram& durations_;
  std::uint64_t rewrite_after_bytes_;  // of all loops
};

}  // namespace weft::delivery
