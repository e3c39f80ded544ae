#include "eventlog/ack_set.h"

#include <algorithm>
#include <functional>

#include "eventlog/core/varint.h"

namespace weft::eventlog {

namespace {

constexpr char kSnapshotVersion = 1;
// Below this many entries it does not pay to clean up.
constexpr std::size_t kSlack = 16;

std::optional<std::uint64_t> take_varint(std::string_view& from) {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 63; shift += 7) {
    if (from.empty()) return std::nullopt;
    auto byte = static_cast<unsigned char>(from.front());
    from.remove_prefix(1);
    number |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return number;
  }
  return std::nullopt;
}

}  // namespace

AckSet::AckSet(Offset from, AckLimits limits) : limits_(limits), next_(from) {}

AckSet::Item* AckSet::find(Offset offset) {
  auto at = std::ranges::lower_bound(items_, offset, {}, &Item::offset);
  if (at == items_.end() || at->offset != offset || at->state == State::Settled) return nullptr;
  return &*at;
}

Result<AckSet::Taken> AckSet::acquire(Offset offset, std::optional<WallTime> deadline) {
  if (offset < next_) {
    return fail(ErrorCode::OutOfRange, "offset {} was handed out before; the next is {}", offset,
                next_);
  }
  if (is_full()) {
    return fail(ErrorCode::ResourceExhausted, "{} records are unsettled, the most allowed", live_);
  }
  auto& item = items_.emplace_back(Item{offset, kNever, 1, State::InFlight});
  ++live_;
  ++in_flight_;
  if (deadline) set_due(item, to_unix_ms(*deadline));
  next_ = offset + 1;
  return Taken{offset, 1};
}

void AckSet::pass(Offset upto) {
  next_ = std::max(next_, upto);
}

std::optional<AckSet::Taken> AckSet::acquire_due(WallTime now, std::optional<WallTime> deadline) {
  auto due = next_deadline();
  if (!due || *due > now) return std::nullopt;
  auto& item = *find(dues_.front().offset);
  if (item.state == State::Waiting) ++in_flight_;
  item.state = State::InFlight;
  if (item.deliveries < std::numeric_limits<std::uint32_t>::max()) ++item.deliveries;
  set_due(item, deadline ? to_unix_ms(*deadline) : kNever);
  return Taken{item.offset, item.deliveries};
}

bool AckSet::ack(Offset offset) {
  auto* item = find(offset);
  if (item == nullptr) return false;
  if (item->state == State::InFlight) --in_flight_;
  set_due(*item, kNever);
  item->state = State::Settled;
  --live_;
  forget_settled();
  return true;
}

bool AckSet::release(Offset offset, WallTime redeliver_at) {
  auto* item = find(offset);
  if (item == nullptr || item->state != State::InFlight) return false;
  item->state = State::Waiting;
  --in_flight_;
  set_due(*item, to_unix_ms(redeliver_at));
  return true;
}

std::optional<WallTime> AckSet::next_deadline() {
  while (!dues_.empty() && !is_current(dues_.front())) {
    std::ranges::pop_heap(dues_, std::greater<>());
    dues_.pop_back();
  }
  if (dues_.empty()) return std::nullopt;
  return from_unix_ms(dues_.front().ms);
}

bool AckSet::is_current(const Due& due) {
  auto* item = find(due.offset);
  return item != nullptr && item->due_ms == due.ms;
}

void AckSet::set_due(Item& item, std::int64_t due_ms) {
  if (item.due_ms == due_ms) return;
  if (item.due_ms == kNever) ++timed_;
  if (due_ms == kNever) --timed_;
  item.due_ms = due_ms;
  if (due_ms != kNever) {
    dues_.push_back({due_ms, item.offset});
    std::ranges::push_heap(dues_, std::greater<>());
  }
  drop_stale_dues();
}

void AckSet::drop_stale_dues() {
  if (dues_.size() < kSlack || dues_.size() * 2 <= timed_ * 3ul) return;
  dues_.clear();
  for (const auto& item : items_) {
    if (item.state != State::Settled && item.due_ms != kNever) {
      dues_.push_back({item.due_ms, item.offset});
    }
  }
  std::ranges::make_heap(dues_, std::greater<>());
}

void AckSet::forget_settled() {
  while (!items_.empty() && items_.front().state == State::Settled) items_.pop_front();
  if (items_.size() < kSlack || (items_.size() - live_) * 4 <= items_.size()) return;
  std::erase_if(items_, [](const Item& item) { return item.state == State::Settled; });
}

std::vector<AckSet::Unsettled> AckSet::list(std::size_t items_max) const {
  std::vector<Unsettled> out;
  for (const auto& item : items_) {
    if (out.size() == items_max) break;
    if (item.state == State::Settled) continue;
    auto& entry = out.emplace_back();
    entry.offset = item.offset;
    entry.deliveries = item.deliveries;
    entry.in_flight = item.state == State::InFlight;
    if (item.due_ms != kNever) entry.due = from_unix_ms(item.due_ms);
  }
  return out;
}

std::size_t AckSet::memory_bytes() const {
  return items_.size() * sizeof(Item) + dues_.capacity() * sizeof(Due);
}

std::string AckSet::snapshot() const {
  std::string out(1, kSnapshotVersion);
  auto previous = cursor();
  append_uvarint(out, static_cast<std::uint64_t>(previous));
  append_uvarint(out, static_cast<std::uint64_t>(next_ - previous));
  append_uvarint(out, live_);
  for (const auto& item : items_) {
    if (item.state == State::Settled) continue;
    append_uvarint(out, static_cast<std::uint64_t>(item.offset - previous));
    append_uvarint(out, item.deliveries);
    auto due = item.state == State::Waiting ? std::max<std::int64_t>(item.due_ms, 0) : 0;
    append_uvarint(out, static_cast<std::uint64_t>(due));
    previous = item.offset;
  }
  return out;
}

Result<AckSet> AckSet::restore(std::string_view snapshot, AckLimits limits) {
  auto damaged = [] {
    return fail(ErrorCode::DataLoss, "not a snapshot of an acknowledgement set");
  };
  if (snapshot.empty() || snapshot.front() != kSnapshotVersion) return damaged();
  snapshot.remove_prefix(1);
  auto cursor = take_varint(snapshot);
  auto span = take_varint(snapshot);
  auto count = take_varint(snapshot);
  if (!cursor || !span || !count || *count > *span || *count > snapshot.size()) return damaged();

  AckSet set(static_cast<Offset>(*cursor), limits);
  for (std::uint64_t i = 0; i < *count; ++i) {
    auto step = take_varint(snapshot);
    auto deliveries = take_varint(snapshot);
    auto due = take_varint(snapshot);
    if (!step || !deliveries || !due || (i > 0 && *step == 0) || *deliveries == 0) return damaged();
    auto offset = static_cast<Offset>(*cursor + *step);
    if (offset < set.next_ || *deliveries > std::numeric_limits<std::uint32_t>::max())
      return damaged();
    auto& item = set.items_.emplace_back();
    item.offset = offset;
    item.deliveries = static_cast<std::uint32_t>(*deliveries);
    item.state = State::Waiting;
    ++set.live_;
    set.set_due(item, static_cast<std::int64_t>(*due));
    set.next_ = offset + 1;
    *cursor = static_cast<std::uint64_t>(offset);
  }
  auto next = static_cast<Offset>(*span) + set.cursor();
  if (!snapshot.empty() || next < set.next_) return damaged();
  set.next_ = next;
  return set;
}

}  // namespace weft::eventlog
