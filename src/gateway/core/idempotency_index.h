// Which idempotency keys were used, and where their answers stand. The answers themselves are
// records of the internal stream __weft.idempotency, appended in the same write-ahead entry as the
// event that the request produced; this index is rebuilt from that stream at start.
//
// Life of a key: claim() → New → settle() with the answer's offset, or abandon(). A second claim in
// between is told InFlight and called back once when the first one ends. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "eventlog/types.h"

namespace weft::gateway {

// The first 16 bytes of a SHA-256: of (tenant, route, principal, key), and of (method, target,
// body).
using Digest = std::array<char, 16>;

enum class Claim : std::uint8_t {
  New,           // the caller owns the key now: settle() or abandon() must follow
  Stored,        // answered before: the answer is at `offset`
  InFlight,      // another request is on it: `make_waker`'s function will be called once, from any
                 // thread
  OtherPayload,  // another request is on it with another payload
  Full,          // the limit of keys is reached
};

struct Claimed {
  Claim claim = Claim::New;
  eventlog::Offset offset = -1;
};

class IdempotencyIndex {
 public:
  explicit IdempotencyIndex(std::size_t keys_max);
  ~IdempotencyIndex();

  // `make_waker` is called, under the index's lock, only for InFlight; it must not call back into
  // the index. Without one, InFlight promises no call.
  using MakeWaker = std::function<std::function<void()>()>;
  Claimed claim(const Digest& key, const Digest& payload, const MakeWaker& make_waker);
  void settle(const Digest& key, eventlog::Offset answer);
  void abandon(const Digest& key);
  // Drops a stored key whose answer is gone, unless it has another one by now.
  void forget(const Digest& key, eventlog::Offset answer);

  // Rebuilding at start, in offset order: a later answer replaces an earlier one.
  void restore(const Digest& key, eventlog::Offset answer);
  // Drops keys whose answers are below the stream's start or have expired as told by offset.
  std::size_t forget_below(eventlog::Offset first_kept);

  std::size_t size() const;

 private:
  struct Shard;
  Shard& shard(const Digest& key) const;
  void end(const Digest& key, eventlog::Offset answer);

  std::size_t keys_per_shard_max_;
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace weft::gateway
