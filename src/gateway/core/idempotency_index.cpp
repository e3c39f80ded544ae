#include "gateway/core/idempotency_index.h"

#include <cstring>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace weft::gateway {
namespace {

constexpr std::size_t kShards = 16;

// The keys are digests, so any of their bytes are a good hash.
struct DigestHash {
  std::size_t operator()(const Digest& digest) const {
    std::size_t value;
    std::memcpy(&value, digest.data(), sizeof value);
    return value;
  }
};

struct InFlight {
  Digest payload;
  std::vector<std::function<void()>> waiting;
};

}  // namespace

struct alignas(64) IdempotencyIndex::Shard {
  mutable std::mutex mutex;
  std::unordered_map<Digest, eventlog::Offset, DigestHash> stored;
  std::unordered_map<Digest, InFlight, DigestHash> in_flight;
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
  if (auto it = mine.stored.find(key); it != mine.stored.end()) return {Claim::Stored, it->second};
  if (auto it = mine.in_flight.find(key); it != mine.in_flight.end()) {
    if (it->second.payload != payload) return {Claim::OtherPayload, -1};
    it->second.waiting.push_back(make_waker());
    return {Claim::InFlight, -1};
  }
  if (mine.stored.size() + mine.in_flight.size() >= keys_per_shard_max_) return {Claim::Full, -1};
  mine.in_flight.emplace(key, InFlight{payload, {}});
  return {Claim::New, -1};
}

void IdempotencyIndex::end(const Digest& key, eventlog::Offset answer) {
  std::vector<std::function<void()>> waiting;
  {
    auto& mine = shard(key);
    std::lock_guard lock(mine.mutex);
    if (auto it = mine.in_flight.find(key); it != mine.in_flight.end()) {
      waiting = std::move(it->second.waiting);
      mine.in_flight.erase(it);
    }
    if (answer >= 0) mine.stored[key] = answer;
  }
  for (auto& wake : waiting) wake();
}

void IdempotencyIndex::settle(const Digest& key, eventlog::Offset answer) { end(key, answer); }

void IdempotencyIndex::abandon(const Digest& key) { end(key, -1); }

void IdempotencyIndex::forget(const Digest& key, eventlog::Offset answer) {
  auto& mine = shard(key);
  std::lock_guard lock(mine.mutex);
  auto it = mine.stored.find(key);
  if (it != mine.stored.end() && it->second == answer) mine.stored.erase(it);
}

void IdempotencyIndex::restore(const Digest& key, eventlog::Offset answer) {
  auto& mine = shard(key);
  std::lock_guard lock(mine.mutex);
  mine.stored[key] = answer;
}

std::size_t IdempotencyIndex::forget_below(eventlog::Offset first_kept) {
  std::size_t dropped = 0;
  for (std::size_t i = 0; i < kShards; ++i) {
    std::lock_guard lock(shards_[i].mutex);
    dropped += std::erase_if(shards_[i].stored,
                             [&](const auto& entry) { return entry.second < first_kept; });
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
