#include "gateway/core/idempotency_index.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <vector>

namespace weft::gateway {
namespace {

constexpr std::size_t kShards = 16;
constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

// The keys are digests, so any of their bytes are a good hash; the last byte picks the shard.
std::size_t hash_of(const Digest& digest) {
  std::size_t value;
  std::memcpy(&value, digest.data(), sizeof value);
  return value;
}

// Where the answers of used keys stand: open addressing, so that a key costs one cache line and no
// allocation of its own. Keys go in bulk by retain_from(), seldom one by one.
class AnswerTable {
 public:
  std::size_t size() const { return used_; }

  eventlog::Offset find(const Digest& key) const {
    if (slots_.empty()) return kFree;
    return slots_[place_of(key)].answer;
  }

  void put(const Digest& key, eventlog::Offset answer) {
    if ((used_ + 1) * 4 > slots_.size() * 3) resize(std::max<std::size_t>(16, slots_.size() * 2));
    auto& slot = slots_[place_of(key)];
    if (slot.answer == kFree) ++used_;
    slot = {key, answer};
  }

  void erase(const Digest& key) {
    if (slots_.empty()) return;
    auto mask = slots_.size() - 1;
    auto at = place_of(key);
    if (slots_[at].answer == kFree) return;
    slots_[at].answer = kFree;
    --used_;
    // A search ends at a free slot: what stands behind this one finds its place anew.
    for (at = (at + 1) & mask; slots_[at].answer != kFree; at = (at + 1) & mask) {
      auto moved = std::exchange(slots_[at], Slot{});
      slots_[place_of(moved.key)] = moved;
    }
  }

  // Drops what lies below; how many that were.
  std::size_t retain_from(eventlog::Offset first_kept) {
    auto is_dropped = [&](const Slot& slot) {
      return slot.answer != kFree && slot.answer < first_kept;
    };
    auto dropped = static_cast<std::size_t>(std::ranges::count_if(slots_, is_dropped));
    if (dropped == 0) return 0;
    for (auto& slot : slots_) {
      if (is_dropped(slot)) slot.answer = kFree;
    }
    auto size = slots_.size();
    while (size > 16 && (used_ - dropped) * 4 < size) size /= 2;
    resize(size);
    return dropped;
  }

 private:
  static constexpr eventlog::Offset kFree = -1;
  struct Slot {
    Digest key{};
    eventlog::Offset answer = kFree;
  };

  // The key's slot, or the free one where it would be. Requires a free slot.
  std::size_t place_of(const Digest& key) const {
    auto mask = slots_.size() - 1;
    auto at = hash_of(key) & mask;
    while (slots_[at].answer != kFree && slots_[at].key != key) at = (at + 1) & mask;
    return at;
  }

  void resize(std::size_t size) {
    std::vector<Slot> before(size);
    before.swap(slots_);
    used_ = 0;
    for (const auto& slot : before) {
      if (slot.answer == kFree) continue;
      slots_[place_of(slot.key)] = slot;
      ++used_;
    }
  }

  std::vector<Slot> slots_;  // a power of two
  std::size_t used_ = 0;
};

}  // namespace

struct alignas(64) IdempotencyIndex::Shard {
  // Claims of requests that have not ended, side by side: there are few, and they are looked
  // through.
  struct InFlight {
    Digest payload{};
    std::vector<std::function<void()>> waiting;
  };

  std::size_t find_in_flight(const Digest& key) const {
    auto at = std::ranges::find(claimed, key);
    return at == claimed.end() ? kNowhere : static_cast<std::size_t>(at - claimed.begin());
  }

  // Ends the claim and gives who waits for it.
  std::vector<std::function<void()>> take_waiting(const Digest& key) {
    auto at = find_in_flight(key);
    if (at == kNowhere) return {};
    auto waiting = std::move(in_flight[at].waiting);
    std::swap(claimed[at], claimed.back());
    std::swap(in_flight[at], in_flight.back());
    claimed.pop_back();
    in_flight.pop_back();
    return waiting;
  }

  mutable std::mutex mutex;
  AnswerTable stored;
  std::vector<Digest> claimed;
  std::vector<InFlight> in_flight;  // of claimed, in its order
};

IdempotencyIndex::IdempotencyIndex(std::size_t keys_max)
    : keys_per_shard_max_(std::max<std::size_t>(1, keys_max / kShards)),
      shards_(std::make_unique<Shard[]>(kShards)) {}

IdempotencyIndex::~IdempotencyIndex() = default;

IdempotencyIndex::Shard& IdempotencyIndex::shard(const Digest& key) const {
  return shards_[static_cast<unsigned char>(key.back()) % kShards];
}

Claimed IdempotencyIndex::claim(const Digest& key, const Digest& payload,
                                const MakeWaker& make_waker) {
  auto& mine = shard(key);
  std::lock_guard lock(mine.mutex);
  if (auto answer = mine.stored.find(key); answer >= 0) return {Claim::Stored, answer};
  if (auto at = mine.find_in_flight(key); at != kNowhere) {
    if (mine.in_flight[at].payload != payload) return {Claim::OtherPayload, -1};
    if (make_waker) mine.in_flight[at].waiting.push_back(make_waker());
    return {Claim::InFlight, -1};
  }
  if (mine.stored.size() + mine.claimed.size() >= keys_per_shard_max_) return {Claim::Full, -1};
  mine.claimed.push_back(key);
  mine.in_flight.push_back({payload, {}});
  return {Claim::New, -1};
}

void IdempotencyIndex::end(const Digest& key, eventlog::Offset answer) {
  std::vector<std::function<void()>> waiting;
  {
    auto& mine = shard(key);
    std::lock_guard lock(mine.mutex);
    waiting = mine.take_waiting(key);
    if (answer >= 0) mine.stored.put(key, answer);
  }
  for (auto& wake : waiting) wake();
}

void IdempotencyIndex::settle(const Digest& key, eventlog::Offset answer) {
  end(key, answer);
}

void IdempotencyIndex::abandon(const Digest& key) {
  end(key, -1);
}

void IdempotencyIndex::forget(const Digest& key, eventlog::Offset answer) {
  auto& mine = shard(key);
  std::lock_guard lock(mine.mutex);
  if (mine.stored.find(key) == answer) mine.stored.erase(key);
}

void IdempotencyIndex::restore(const Digest& key, eventlog::Offset answer) {
  auto& mine = shard(key);
  std::lock_guard lock(mine.mutex);
  mine.stored.put(key, answer);
}

std::size_t IdempotencyIndex::forget_below(eventlog::Offset first_kept) {
  std::size_t dropped = 0;
  for (std::size_t i = 0; i < kShards; ++i) {
    std::lock_guard lock(shards_[i].mutex);
    dropped += shards_[i].stored.retain_from(first_kept);
  }
  return dropped;
}

std::size_t IdempotencyIndex::size() const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < kShards; ++i) {
    std::lock_guard lock(shards_[i].mutex);
    count += shards_[i].stored.size();
  }
  return count;
}

}  // namespace weft::gateway
