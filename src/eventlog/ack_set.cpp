#include "eventlog/ack_set.h"

#include <algorithm>

#include "base/bytes.h"

namespace weft::eventlog {

namespace {

// Below this many entries it does not pay to clean up.
constexpr std::size_t kSlack = 64;

// A vector that doubles would waste half of the memory that is promised.
template <class T>
void push_frugally(std::vector<T>& to, T value) {
  constexpr std::size_t kSmall = 16;
  if (to.size() == to.capacity()) to.reserve(to.size() + std::max(kSmall, to.size() / 8));
  to.push_back(value);
}

}  // namespace

OrderKey order_key(std::string_view key) {
  auto hash = fnv1a(key);
  return static_cast<OrderKey>(hash == 0 ? 1 : hash);
}

struct AckSet::ByOffset {
  const std::vector<Item>& items;
  std::uint64_t number_of(Slot slot) const {
    return static_cast<std::uint64_t>(items[slot].offset);
  }
};

struct AckSet::ByKey {
  const std::vector<Item>& items;
  std::uint64_t number_of(Slot slot) const { return static_cast<std::uint64_t>(items[slot].key); }
};

AckSet::AckSet(Offset from, AckLimits limits) : limits_(limits), next_(from) {}

Slot AckSet::find(Offset offset) const {
  return by_offset_.find(static_cast<std::uint64_t>(offset), ByOffset{items_});
}

Result<std::optional<AckSet::Taken>> AckSet::acquire(Offset offset, OrderKey key,
                                                     std::optional<WallTime> deadline) {
  if (offset < next_) {
    return fail(ErrorCode::OutOfRange, "offset {} was handed out before; the next is {}", offset,
                next_);
  }
  if (is_full()) {
    return fail(ErrorCode::ResourceExhausted, "{} records are unsettled, the most allowed",
                unsettled_);
  }
  auto slot = add(offset, key);
  if (items_[slot].state == State::Held) return std::nullopt;
  items_[slot].state = State::InFlight;
  items_[slot].deliveries = 1;
  ++in_flight_;
  if (deadline) set_due(slot, to_unix_ms(*deadline));
  return Taken{offset, 1};
}

Result<AckSet::Taken> AckSet::acquire(Offset offset, std::optional<WallTime> deadline) {
  TRY(auto taken, acquire(offset, OrderKey::None, deadline));
  ENSURE(taken.has_value(), "nothing holds back a record of no key");
  return *taken;
}

void AckSet::pass(Offset upto) {
  next_ = std::max(next_, upto);
}

std::optional<AckSet::Taken> AckSet::acquire_due(WallTime now, std::optional<WallTime> deadline) {
  auto due = next_deadline();
  if (!due || *due > now) return std::nullopt;
  auto slot = dues_.front();
  auto& item = items_[slot];
  if (item.state == State::Waiting) ++in_flight_;
  item.state = State::InFlight;
  if (item.deliveries < kDeliveriesMax) ++item.deliveries;
  set_due(slot, deadline ? to_unix_ms(*deadline) : kNever);
  note_change(slot);
  return Taken{item.offset, item.deliveries};
}

bool AckSet::ack(Offset offset) {
  auto slot = find(offset);
  if (slot == kNoSlot || items_[slot].state == State::Held) return false;
  settle(slot);
  return true;
}

bool AckSet::release(Offset offset, WallTime redeliver_at) {
  auto slot = find(offset);
  if (slot == kNoSlot || items_[slot].state != State::InFlight) return false;
  items_[slot].state = State::Waiting;
  --in_flight_;
  set_due(slot, to_unix_ms(redeliver_at));
  note_change(slot);
  return true;
}

std::optional<WallTime> AckSet::next_deadline() const {
  if (dues_.empty()) return std::nullopt;
  return from_unix_ms(items_[dues_.front()].due_ms);
}

std::vector<AckSet::Unsettled> AckSet::list(std::size_t items_max) const {
  std::vector<Unsettled> out;
  for (auto slot = oldest_; slot != kNoSlot && out.size() < items_max; slot = items_[slot].newer) {
    const auto& item = items_[slot];
    auto& entry = out.emplace_back();
    entry.offset = item.offset;
    entry.deliveries = item.deliveries;
    entry.state = item.state;
    if (item.due_ms != kNever) entry.due = from_unix_ms(item.due_ms);
  }
  return out;
}

std::size_t AckSet::memory_bytes() const {
  return items_.capacity() * sizeof(Item) + by_offset_.memory_bytes() + by_key_.memory_bytes() +
         (dues_.capacity() + changed_.capacity()) * sizeof(Slot) +
         settled_.capacity() * sizeof(Offset);
}

// ---- Items, in the order of their offsets, and behind the first of their key.

Slot AckSet::add(Offset offset, OrderKey key) {
  auto slot = take_free_slot();
  auto& item = items_[slot];
  item = Item();
  item.offset = offset;
  item.key = key;
  item.state = State::Waiting;
  item.older = newest_;
  (newest_ == kNoSlot ? oldest_ : items_[newest_].newer) = slot;
  newest_ = slot;
  ++unsettled_;
  next_ = offset + 1;
  by_offset_.insert(slot, ByOffset{items_});
  if (key != OrderKey::None && stand_behind_its_key(slot)) {
    items_[slot].state = State::Held;
    ++held_;
  }
  note_change(slot);
  return slot;
}

Slot AckSet::take_free_slot() {
  if (free_ == kNoSlot) {
    push_frugally(items_, Item());
    return static_cast<Slot>(items_.size() - 1);
  }
  auto slot = free_;
  free_ = items_[slot].newer;
  return slot;
}

// False when it is the first.
bool AckSet::stand_behind_its_key(Slot slot) {
  auto first = by_key_.find(static_cast<std::uint64_t>(items_[slot].key), ByKey{items_});
  if (first == kNoSlot) {
    items_[slot].last = slot;
    by_key_.insert(slot, ByKey{items_});
    return false;
  }
  items_[items_[first].last].follower = slot;
  items_[first].last = slot;
  return true;
}

void AckSet::settle(Slot slot) {
  auto& item = items_[slot];
  if (item.state == State::InFlight) --in_flight_;
  set_due(slot, kNever);
  if (item.key != OrderKey::None) hand_over_key(slot);
  if (item.is_journalled) push_frugally(settled_, item.offset);
  by_offset_.erase(slot, ByOffset{items_});
  unlink(slot);
  item.is_changed = false;
  item.newer = free_;
  free_ = slot;
  if (--unsettled_ == 0) forget_everything();
}

// What it held back is due at once: before all that has a time.
void AckSet::hand_over_key(Slot slot) {
  auto follower = items_[slot].follower;
  if (follower == kNoSlot) {
    by_key_.erase(slot, ByKey{items_});
    return;
  }
  by_key_.replace(static_cast<std::uint64_t>(items_[slot].key), follower, ByKey{items_});
  items_[follower].last = items_[slot].last;
  items_[follower].state = State::Waiting;
  --held_;
  set_due(follower, 0);
}

void AckSet::unlink(Slot slot) {
  const auto& item = items_[slot];
  (item.older == kNoSlot ? oldest_ : items_[item.older].newer) = item.newer;
  (item.newer == kNoSlot ? newest_ : items_[item.newer].older) = item.older;
}

// Gives back the memory of a crowd that has gone.
void AckSet::forget_everything() {
  changed_.clear();
  if (items_.size() <= kSlack) return;
  items_ = std::vector<Item>();
  dues_ = std::vector<Slot>();
  changed_ = std::vector<Slot>();
  by_offset_.clear();
  by_key_.clear();
  free_ = kNoSlot;
}

// ---- A binary heap of slots; each item knows its place.

bool AckSet::is_sooner(Slot a, Slot b) const {
  const auto& left = items_[a];
  const auto& right = items_[b];
  return left.due_ms != right.due_ms ? left.due_ms < right.due_ms : left.offset < right.offset;
}

void AckSet::set_due(Slot slot, std::int64_t due_ms) {
  auto& item = items_[slot];
  if (item.due_ms == due_ms) return;
  if (due_ms == kNever) {
    leave_dues(slot);
    item.due_ms = kNever;
    return;
  }
  item.due_ms = due_ms;
  if (item.place == kNoSlot) {
    push_frugally(dues_, slot);
    item.place = static_cast<Slot>(dues_.size() - 1);
  }
  move_up(item.place);
  move_down(item.place);
}

void AckSet::leave_dues(Slot slot) {
  auto place = items_[slot].place;
  auto last = dues_.back();
  dues_.pop_back();
  items_[slot].place = kNoSlot;
  if (last == slot) return;
  put_due(place, last);
  move_up(place);
  move_down(items_[last].place);
}

void AckSet::move_up(std::size_t place) {
  auto slot = dues_[place];
  while (place > 0 && is_sooner(slot, dues_[(place - 1) / 2])) {
    put_due(place, dues_[(place - 1) / 2]);
    place = (place - 1) / 2;
  }
  put_due(place, slot);
}

void AckSet::move_down(std::size_t place) {
  auto slot = dues_[place];
  while (true) {
    auto child = place * 2 + 1;
    if (child >= dues_.size()) break;
    if (child + 1 < dues_.size() && is_sooner(dues_[child + 1], dues_[child])) ++child;
    if (!is_sooner(dues_[child], slot)) break;
    put_due(place, dues_[child]);
    place = child;
  }
  put_due(place, slot);
}

void AckSet::put_due(std::size_t place, Slot slot) {
  dues_[place] = slot;
  items_[slot].place = static_cast<Slot>(place);
}

// ---- What the journal does not know yet.

void AckSet::note_change(Slot slot) {
  if (items_[slot].is_changed) return;
  items_[slot].is_changed = true;
  push_frugally(changed_, slot);
  if (changed_.size() > 2 * std::size_t{unsettled_} + kSlack) tidy_changes();
}

void AckSet::tidy_changes() {
  std::erase_if(changed_, [this](Slot slot) { return !items_[slot].is_changed; });
  // A slot that was freed and taken again stands here twice.
  std::ranges::sort(changed_);
  auto repeated = std::ranges::unique(changed_);
  changed_.erase(repeated.begin(), repeated.end());
}

void AckSet::mark_journalled() {
  for (auto slot : changed_) {
    auto& item = items_[slot];
    if (item.is_changed) item.is_journalled = true;
    item.is_changed = false;
  }
  changed_.clear();
  settled_.clear();
}

}  // namespace weft::eventlog
