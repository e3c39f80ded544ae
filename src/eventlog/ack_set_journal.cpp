// AckSet: the pieces of its journal. Format: docs/formats/ack-set.md.
#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "eventlog/ack_set.h"
#include "eventlog/core/varint.h"

namespace weft::eventlog {

namespace {

constexpr char kFirstVersion = 1;  // a snapshot without order keys; read, not written any more
constexpr char kSnapshot = 2;
constexpr char kChanges = 3;
constexpr std::size_t kItemBytesMin = 3;
constexpr std::uint64_t kOffsetMax = std::numeric_limits<Offset>::max();

// Takes numbers off the front of a piece; once one is missing or too large, all are 0.
class PieceReader {
 public:
  explicit PieceReader(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  bool is_good() const { return is_good_; }
  bool is_at_end() const { return at_ == end_; }
  std::uint64_t left() const { return static_cast<std::uint64_t>(end_ - at_); }

  std::uint64_t number(std::uint64_t most = kOffsetMax) {
    std::uint64_t value = 0;
    is_good_ = is_good_ && read_uvarint(at_, end_, value) && value <= most;
    return is_good_ ? value : 0;
  }
  // An offset so far behind `from`.
  Offset offset(Offset from) {
    auto step = number(kOffsetMax - static_cast<std::uint64_t>(from));
    return from + static_cast<Offset>(step);
  }
  std::uint64_t fixed() {
    constexpr std::size_t kSize = sizeof(std::uint64_t);
    is_good_ = is_good_ && left() >= kSize;
    if (!is_good_) return 0;
    auto value = load_be<std::uint64_t>(at_);
    at_ += kSize;
    return value;
  }
  // How many things of so many bytes at least follow.
  std::size_t count(std::size_t bytes_min) { return number(left() / bytes_min); }

 private:
  const char* at_;
  const char* end_;
  bool is_good_ = true;
};

}  // namespace

struct AckSet::Piece {
  struct Item {
    Offset offset = 0;
    std::uint32_t deliveries = 0;
    std::int64_t due_ms = 0;
    OrderKey key = OrderKey::None;
  };
  bool is_snapshot = false;
  std::uint64_t number = 0;
  Offset base = 0;
  Offset next = 0;
  std::vector<Offset> settled;
  std::vector<Item> items;
};

std::string AckSet::journal() {
  tidy_changes();
  bool is_short = changed_.size() + settled_.size() < unsettled_;
  return piece_ > 0 && is_short ? write(false, changed_) : snapshot();
}

std::string AckSet::snapshot() {
  std::vector<Slot> all;
  all.reserve(unsettled_);
  for (auto slot = oldest_; slot != kNoSlot; slot = items_[slot].newer) all.push_back(slot);
  tidy_changes();
  return write(true, std::move(all));
}

bool AckSet::is_snapshot(std::string_view piece) {
  return !piece.empty() && piece.front() != kChanges;
}

std::string AckSet::write(bool is_snapshot, std::vector<Slot> slots) {
  std::ranges::sort(slots, {}, [this](Slot slot) { return items_[slot].offset; });
  std::ranges::sort(settled_);
  if (is_snapshot) settled_.clear();
  auto base = slots.empty() ? next_ : items_[slots.front()].offset;
  if (!settled_.empty()) base = std::min(base, settled_.front());

  std::string out(1, is_snapshot ? kSnapshot : kChanges);
  append_uvarint(out, ++piece_);
  append_uvarint(out, static_cast<std::uint64_t>(base));
  append_uvarint(out, static_cast<std::uint64_t>(next_ - base));
  append_uvarint(out, settled_.size());
  auto previous = base;
  for (auto offset : settled_) {
    append_uvarint(out, static_cast<std::uint64_t>(offset - std::exchange(previous, offset)));
  }
  append_uvarint(out, slots.size());
  previous = base;
  for (auto slot : slots) {
    const auto& item = items_[slot];
    bool has_key = item.key != OrderKey::None;
    append_uvarint(out,
                   static_cast<std::uint64_t>(item.offset - std::exchange(previous, item.offset)));
    append_uvarint(out, std::uint64_t{item.deliveries} << 1 | (has_key ? 1 : 0));
    auto due = item.state == State::Waiting ? std::max<std::int64_t>(item.due_ms, 0) : 0;
    append_uvarint(out, static_cast<std::uint64_t>(due));
    if (has_key) append_be(out, static_cast<std::uint64_t>(item.key));
  }
  mark_journalled();
  return out;
}

Result<AckSet::Piece> AckSet::parse(std::string_view bytes) {
  auto version = bytes.empty() ? '\0' : bytes.front();
  if (version < kFirstVersion || version > kChanges) {
    return fail(ErrorCode::DataLoss, "not the journal of an acknowledgement set");
  }
  PieceReader in(bytes.substr(1));
  bool is_first_version = version == kFirstVersion;
  Piece piece;
  piece.is_snapshot = version != kChanges;
  piece.number = is_first_version ? 1 : in.number();
  piece.base = in.offset(0);
  piece.next = in.offset(piece.base);
  bool is_ascending = true;
  auto next_offset = [&](Offset previous, bool is_first) {
    auto offset = in.offset(previous);
    is_ascending = is_ascending && (is_first || offset > previous) && offset < piece.next;
    return offset;
  };
  piece.settled.resize(is_first_version ? 0 : in.count(1));
  auto previous = piece.base;
  for (auto& offset : piece.settled) {
    offset = previous = next_offset(previous, &offset == piece.settled.data());
  }
  piece.items.resize(in.count(kItemBytesMin));
  previous = piece.base;
  for (auto& item : piece.items) {
    item.offset = previous = next_offset(previous, &item == piece.items.data());
    auto deliveries = in.number();
    bool has_key = !is_first_version && (deliveries & 1) != 0;
    if (!is_first_version) deliveries >>= 1;
    item.deliveries =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(deliveries, kDeliveriesMax));
    item.due_ms = static_cast<std::int64_t>(in.number(kNever - 1));
    if (has_key) item.key = static_cast<OrderKey>(in.fixed());
  }
  if (!in.is_good() || !in.is_at_end() || !is_ascending) {
    return fail(ErrorCode::DataLoss, "the journal of an acknowledgement set is damaged");
  }
  return piece;
}

Result<AckSet> AckSet::restore(std::string_view snapshot, AckLimits limits) {
  TRY(auto piece, parse(snapshot));
  if (!piece.is_snapshot || !piece.settled.empty()) {
    return fail(ErrorCode::DataLoss, "the journal of an acknowledgement set lacks its snapshot");
  }
  AckSet set(piece.base, limits);
  set.apply(piece);
  return set;
}

Result<> AckSet::replay(std::string_view bytes) {
  TRY(auto piece, parse(bytes));
  if (piece.is_snapshot) {
    TRY(auto set, restore(bytes, limits_));
    *this = std::move(set);
    return {};
  }
  if (!accepts(piece)) {
    return fail(ErrorCode::DataLoss,
                "piece {} of the journal of an acknowledgement set does not follow piece {}",
                piece.number, piece_);
  }
  apply(piece);
  return {};
}

bool AckSet::accepts(const Piece& piece) const {
  auto is_there = [this](Offset offset) { return find(offset) != kNoSlot; };
  return piece.number == piece_ + 1 && piece.next >= next_ &&
         std::ranges::all_of(piece.settled, is_there) &&
         std::ranges::all_of(piece.items, [&](const Piece::Item& item) {
           return item.offset >= next_ || is_there(item.offset);
         });
}

void AckSet::apply(const Piece& piece) {
  for (auto offset : piece.settled) settle(find(offset));
  for (const auto& saved : piece.items) {
    auto slot = saved.offset < next_ ? find(saved.offset) : add(saved.offset, saved.key);
    if (slot == kNoSlot) continue;  // settled and changed in one piece: no journal() writes that
    auto& item = items_[slot];
    item.deliveries = saved.deliveries & kDeliveriesMax;
    if (item.state != State::Held) set_due(slot, saved.due_ms);
  }
  next_ = piece.next;
  piece_ = piece.number;
  mark_journalled();
}

}  // namespace weft::eventlog
