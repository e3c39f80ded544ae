// The acknowledgement set: what one consumer has done with one partition, when it works on many
// records at once and some come back. Delivery, triggers, flows and share groups all use this one.
//
// It keeps the *unsettled* records only: those in flight, and those that wait to be delivered
// again. Everything else below next() is settled, so a success leaves nothing behind: no row, no
// bit. cursor() is the first unsettled record, or next() when there is none.
//
//   acquire(5) ─▶ in flight ─┬─ ack(5) ───────────────▶ settled, forgotten
//                            └─ release(5, at) ─▶ waiting ─ acquire_due(now ≥ at) ─▶ in flight,
//                            count + 1
//
// Journal: append snapshot() to a compacted stream under the consumer's key, in the same log entry
// as the outcome that the change rests on. After a crash restore() of the last snapshot makes every
// record that was unsettled, or came later, available again: at least once, never lost. Delivery
// counts and times of redelivery survive. Nothing is written per success; one snapshot covers all
// that happened since the last.
//
// Memory: at most 100 bytes for each unsettled record, and at most `unsettled_max` of them: beyond
// that acquire() is refused and the consumer stops reading until something is settled.
//
// Pure: no clock, no I/O. One thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "eventlog/types.h"

namespace weft::eventlog {

struct AckLimits {
  std::uint32_t unsettled_max = 1024;
};

class AckSet {
 public:
  // A record handed to the consumer.
  struct Taken {
    Offset offset = 0;
    std::uint32_t deliveries = 0;  // how often it was handed out, this time included
    bool operator==(const Taken&) const = default;
  };

  struct Unsettled {
    Offset offset = 0;
    std::uint32_t deliveries = 0;
    bool in_flight = false;
    std::optional<WallTime> due;  // of redelivery, or the deadline of what is in flight
  };

  // Nothing below `from` is of interest.
  explicit AckSet(Offset from = 0, AckLimits limits = {});

  // Takes a new record; those between next() and it are passed over. When `deadline` passes without
  // ack or release, acquire_due() hands the record out again. OutOfRange below next();
  // ResourceExhausted when the set is full.
  Result<Taken> acquire(Offset offset, std::optional<WallTime> deadline = std::nullopt);
  // Records in [next(), upto) need no delivery: filtered out, compacted away.
  void pass(Offset upto);
  // Takes the record that has been due longest at `now`.
  std::optional<Taken> acquire_due(WallTime now, std::optional<WallTime> deadline = std::nullopt);

  // Settles a record, also one that was released meanwhile: a late success is a success. False when
  // it is not unsettled.
  bool ack(Offset offset);
  // Gives a record back, to be handed out again from `redeliver_at` on. False when it is not in
  // flight.
  bool release(Offset offset, WallTime redeliver_at);

  // When acquire_due() will next have something.
  std::optional<WallTime> next_deadline();

  Offset cursor() const { return items_.empty() ? next_ : items_.front().offset; }
  Offset next() const { return next_; }
  std::uint32_t unsettled() const { return live_; }
  std::uint32_t in_flight() const { return in_flight_; }
  bool is_full() const { return live_ >= limits_.unsettled_max; }
  // Oldest first.
  std::vector<Unsettled> list(std::size_t items_max) const;
  std::size_t memory_bytes() const;

  // One byte of version, then LEB128 numbers: cursor, next - cursor, count, and for each unsettled
  // record its distance from the one before (the first: from cursor), deliveries, and the time due
  // in Unix milliseconds. What is in flight is written as due at once (0).
  std::string snapshot() const;
  // DataLoss for bytes that no snapshot() wrote.
  static Result<AckSet> restore(std::string_view snapshot, AckLimits limits = {});

 private:
  enum class State : std::uint8_t { Settled, InFlight, Waiting };
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  struct Item {
    Offset offset = 0;
    std::int64_t due_ms = kNever;
    std::uint32_t deliveries = 0;
    State state = State::Settled;
  };
  struct Due {
    std::int64_t ms = 0;
    Offset offset = 0;
    auto operator<=>(const Due&) const = default;
  };

  Item* find(Offset offset);
  bool is_current(const Due& due);
  void set_due(Item& item, std::int64_t due_ms);
  void drop_stale_dues();
  void forget_settled();

  AckLimits limits_;
  Offset next_ = 0;
  std::deque<Item> items_;  // ascending; the first is never settled
  std::vector<Due> dues_;   // min-heap with stale entries
  std::uint32_t live_ = 0;
  std::uint32_t in_flight_ = 0;
  std::uint32_t timed_ = 0;  // live items with a due time
};

}  // namespace weft::eventlog
