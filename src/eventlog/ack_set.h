// The acknowledgement set: what one consumer has done with one partition, when it works on many
// records at once and some come back. Delivery, triggers, flows and share groups all use this one.
//
// It keeps the *unsettled* records only: those in flight, those that wait to be handed out again,
// and those that are held back. Everything else below next() is settled, so a success leaves
// nothing behind: no row, no bit. cursor() is the first unsettled record, or next() when there is
// none.
//
//   acquire(5) ─▶ in flight ─┬─ ack(5) ───────────────▶ settled, forgotten
//                            └─ release(5, at) ─▶ waiting ─ acquire_due(now ≥ at) ─▶ in flight,
//                            count + 1
//
// Order: records that are acquired with the same order key are handed out one after the other, in
// the order of their offsets. A later one is held back until the one before is settled, and is due
// at once then. Other keys, and records of no key, go past them.
//
// Journal: append journal() to a stream under the consumer's key, in the same log entry as the
// outcome that the change rests on; restore() and replay() of those pieces, from the last snapshot
// on, make every record that was unsettled, or came later, available again after a crash: at least
// once, never lost. Delivery counts, times of redelivery and order keys survive. Nothing is written
// per success; one piece covers all that happened since the last, and is a snapshot, or only what
// changed, whichever is shorter. Format: docs/formats/ack-set.md.
//
// Memory: at most 100 bytes for each unsettled record, and at most `unsettled_max` of them: beyond
// that acquire() is refused and the consumer stops reading until something is settled.
//
// Pure: no clock, no I/O. One thread at a time.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "eventlog/core/slot_index.h"
#include "eventlog/types.h"

namespace weft::eventlog {

struct AckLimits {
  std::uint32_t unsettled_max = 1024;
};

// A hash of what orders a record. Two keys of one hash are ordered like one, which costs time and
// harms nothing. The hash is stored: make it with order_key().
enum class OrderKey : std::uint64_t { None = 0 };
// Never None. 64-bit FNV-1a.
OrderKey order_key(std::string_view key);

class AckSet {
 public:
  // A record handed to the consumer.
  struct Taken {
    Offset offset = 0;
    std::uint32_t deliveries = 0;  // how often it was handed out, this time included
    bool operator==(const Taken&) const = default;
  };

  enum class State : std::uint8_t {
    InFlight,
    Waiting,  // to be handed out, at its time
    Held,     // behind an unsettled record of its order key
  };

  struct Unsettled {
    Offset offset = 0;
    std::uint32_t deliveries = 0;  // 0: not handed out yet
    State state = State::InFlight;
    std::optional<WallTime> due;  // of redelivery, or the deadline of what is in flight
  };

  // Nothing below `from` is of interest.
  explicit AckSet(Offset from = 0, AckLimits limits = {});

  // Takes a new record; those between next() and it are passed over. When `deadline` passes without
  // ack or release, acquire_due() hands the record out again. Nothing when the record is held back:
  // acquire_due() will hand it out. OutOfRange below next(); ResourceExhausted when the set is
  // full.
  Result<std::optional<Taken>> acquire(Offset offset, OrderKey key,
                                       std::optional<WallTime> deadline = std::nullopt);
  // The same for a record of no key, which nothing holds back.
  Result<Taken> acquire(Offset offset, std::optional<WallTime> deadline = std::nullopt);
  // Records in [next(), upto) need no delivery: filtered out, compacted away.
  void pass(Offset upto);
  // Takes the record that has been due longest at `now`.
  std::optional<Taken> acquire_due(WallTime now, std::optional<WallTime> deadline = std::nullopt);

  // Settles a record, also one that was released meanwhile: a late success is a success. False when
  // it is not unsettled, or held back.
  bool ack(Offset offset);
  // Gives a record back, to be handed out again from `redeliver_at` on. False when it is not in
  // flight.
  bool release(Offset offset, WallTime redeliver_at);

  // When acquire_due() will next have something.
  std::optional<WallTime> next_deadline() const;

  Offset cursor() const { return oldest_ == kNoSlot ? next_ : items_[oldest_].offset; }
  Offset next() const { return next_; }
  std::uint32_t unsettled() const { return unsettled_; }
  std::uint32_t in_flight() const { return in_flight_; }
  std::uint32_t held() const { return held_; }
  bool is_full() const { return unsettled_ >= limits_.unsettled_max; }
  // Oldest first.
  std::vector<Unsettled> list(std::size_t items_max) const;
  std::size_t memory_bytes() const;

  // What is to be appended now. What is in flight is written as due at once.
  std::string journal();
  // The same, and always a snapshot: after pieces that were lost, or are to be replaced.
  std::string snapshot();
  static bool is_snapshot(std::string_view piece);
  // DataLoss for bytes that no snapshot() wrote.
  static Result<AckSet> restore(std::string_view snapshot, AckLimits limits = {});
  // The next piece after the one that was restored or replayed last; all due times of what was in
  // flight are 0 after it. DataLoss, and the set as it was, for any other.
  Result<> replay(std::string_view piece);

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  // 48 bytes: what memory the set needs is mostly this.
  struct Item {
    Offset offset = 0;
    std::int64_t due_ms = kNever;
    OrderKey key = OrderKey::None;
    Slot older = kNoSlot;     // by offset
    Slot newer = kNoSlot;     // the same; links the free ones
    Slot follower = kNoSlot;  // the next of its key, held back
    Slot last = kNoSlot;      // of its key; kept by the first
    Slot place = kNoSlot;     // in dues_
    std::uint32_t deliveries : 24 = 0;
    State state : 4 = State::InFlight;
    bool is_changed : 1 = false;     // since the last piece of the journal
    bool is_journalled : 1 = false;  // that piece, or one before it, tells of it
  };
  static_assert(sizeof(OrderKey) == 8);
  static constexpr std::uint32_t kDeliveriesMax = (1u << 24) - 1;
  struct Piece;  // of the journal, parsed
  struct ByOffset;
  struct ByKey;

  Slot find(Offset offset) const;
  Slot add(Offset offset, OrderKey key);
  Slot take_free_slot();
  bool stand_behind_its_key(Slot slot);
  void settle(Slot slot);
  void hand_over_key(Slot slot);
  void unlink(Slot slot);
  void forget_everything();
  void count_delivery(Item& item);

  bool is_sooner(Slot a, Slot b) const;
  void set_due(Slot slot, std::int64_t due_ms);
  void leave_dues(Slot slot);
  void move_up(std::size_t place);
  void move_down(std::size_t place);
  void put_due(std::size_t place, Slot slot);

  void note_change(Slot slot);
  void tidy_changes();
  void mark_journalled();
  std::string write(bool is_snapshot, std::vector<Slot> slots);
  static Result<Piece> parse(std::string_view bytes);
  bool accepts(const Piece& piece) const;
  void apply(const Piece& piece);

  AckLimits limits_;
  Offset next_ = 0;
  std::vector<Item> items_;
  Slot free_ = kNoSlot;
  Slot oldest_ = kNoSlot;
  Slot newest_ = kNoSlot;
  SlotIndex by_offset_;
  SlotIndex by_key_;        // the first unsettled record of each order key
  std::vector<Slot> dues_;  // a heap: the soonest first
  std::uint32_t unsettled_ = 0;
  std::uint32_t in_flight_ = 0;
  std::uint32_t held_ = 0;

  std::uint64_t piece_ = 0;      // number of the last piece of the journal
  std::vector<Slot> changed_;    // since then; some may be free or stand here twice
  std::vector<Offset> settled_;  // since then, of those that the journal tells of
};

}  // namespace weft::eventlog
