// The deliveries that lists and pages show: all that are pending, failing or dead, and the latest
// of the delivered ones, with the offsets of their attempt records. Rebuilt at start from the
// internal streams; never the source of truth.
//
// Any thread; each call is short and holds one lock.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "delivery/delivery_types.h"

namespace weft::delivery {

struct IndexLimits {
  std::size_t delivered_max = 5'000;  // over all subscriptions
  std::size_t attempts_per_delivery = 200;
};

// Counts of one subscription.
struct SubscriptionCounts {
  std::uint64_t pending = 0;
  std::uint64_t failing = 0;
  std::uint64_t dead = 0;
  std::uint64_t delivered = 0;        // attempts that succeeded, since the start
  std::uint64_t failed_attempts = 0;  // since the start
  std::uint64_t attempts_recent = 0;  // of the last 15 minutes
  std::uint64_t failures_recent = 0;
  std::optional<WallTime> last_attempt;
  std::optional<WallTime> last_success;
  std::optional<WallTime> last_failure;
  std::string last_error;
};

// An entry with where its records are.
struct IndexedDelivery {
  DeliverySummary delivery;
  std::vector<eventlog::Offset> attempts;       // in the attempts stream
  std::optional<eventlog::Offset> dead_letter;  // in the stream of dead letters
};

class DeliveryIndex {
 public:
  explicit DeliveryIndex(IndexLimits limits = {}) : limits_(limits) {}

  // An attempt begins: the entry appears as pending, or stays as it is.
  void started(const DeliverySummary& delivery);
  // An attempt was recorded; `delivery` is its state after it.
  void recorded(DeliverySummary delivery, eventlog::Offset attempt,
                std::optional<eventlog::Offset> dead_letter, WallTime now);
  // At start, from the records of an earlier life: no counters of attempts.
  void restored(const DeliverySummary& delivery, std::optional<eventlog::Offset> attempt,
                std::optional<eventlog::Offset> dead_letter);
  // The delivery ended elsewhere: its dead letter is gone.
  void forget(std::string_view id);
  // All of those, for which it is called under the lock.
  void forget_if(const std::function<bool(const DeliverySummary&)>& is_gone);
  // A dead letter is to be redriven: from Dead to Pending, if it still is dead. Where its record
  // is.
  std::optional<eventlog::Offset> claim_dead(std::string_view id);
  // The claim came to nothing, or its new record is at `dead_letter`.
  void unclaim_dead(std::string_view id);
  void redriving(std::string_view id, eventlog::Offset dead_letter);

  std::optional<IndexedDelivery> find(std::string_view id) const;
  DeliveryPage list(const DeliveryQuery& query) const;
  std::vector<std::string> dead_ids(std::string_view tenant, std::string_view subscription) const;
  SubscriptionCounts counts(std::string_view tenant, std::string_view subscription,
                            WallTime now) const;
  std::size_t size() const;

 private:
  static constexpr std::size_t kMinutes = 15;
  struct Minute {
    std::int64_t number = -1;
    std::uint64_t attempts = 0;
    std::uint64_t failures = 0;
  };
  struct Counters {
    SubscriptionCounts counts;
    std::array<Minute, kMinutes + 1> minutes;
  };
  // Its subscription's counters are looked up once.
  struct Entry : IndexedDelivery {
    Counters* counters = nullptr;
  };
  using Entries = std::map<std::uint64_t, Entry>;

  Entry& put(DeliverySummary delivery);
  Entry& add(DeliverySummary delivery);  // its id is in by_id_ already, as next_
  Counters& counters(const DeliverySummary& delivery);
  std::uint64_t& count_of(Entry& entry);
  void change(Entry& entry, DeliverySummary to, std::uint64_t sequence);
  void keep_delivered(std::uint64_t sequence);
  static void count_attempt(Entry& entry, WallTime now);
  void evict();

  IndexLimits limits_;
  mutable std::mutex mutex_;
  Entries entries_;  // by order of first appearance
  std::unordered_map<std::string, std::uint64_t, StringHash, std::equal_to<>> by_id_;
  std::unordered_map<std::string, Counters, StringHash, std::equal_to<>> counters_;
  std::deque<std::uint64_t> delivered_;  // oldest first
  std::uint64_t next_ = 1;
  std::uint64_t uncounted_ = 0;
};

}  // namespace weft::delivery
