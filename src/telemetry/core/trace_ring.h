// The memory behind TraceStore: one open chunk per recording thread, the sealed ones in order of
// age, and the trace ids of those that were dropped lately.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "telemetry/core/span_chunk.h"

namespace weft::telemetry {

struct TraceIdHash {
  std::size_t operator()(const TraceId& id) const {
    std::size_t high;
    std::size_t low;
    std::memcpy(&high, id.data(), sizeof high);
    std::memcpy(&low, id.data() + sizeof high, sizeof low);
    return high ^ (low * 0x9e3779b97f4a7c15ULL);
  }
};
using TraceIds = std::unordered_set<TraceId, TraceIdHash>;

class TraceRing : public std::enable_shared_from_this<TraceRing> {
 public:
  // What a thread writes to. Its owner alone appends; the shared pointer is guarded by the ring's
  // mutex.
  struct Slot {
    SpanChunk* writing = nullptr;
    std::shared_ptr<SpanChunk> open;
    std::uint32_t exported = 0;
  };

  TraceRing(std::size_t chunks_max, std::size_t export_chunks_max);

  // The calling thread's slot; it is given back when the thread ends.
  Slot& slot();
  // Gives the slot an empty chunk; what it had is sealed.
  void roll(Slot& slot);
  void release(Slot& slot);

  std::vector<std::shared_ptr<const SpanChunk>> chunks() const;
  // Which of the given traces lost spans, as far back as is known (one turn of the ring).
  TraceIds damaged(const TraceIds& traces) const;

  void start_export();
  std::vector<SpanSlice> take_unexported(std::size_t spans_max);
  // What a take would give, left where it is.
  std::vector<SpanSlice> unexported() const;

  struct Counts {
    std::uint64_t recorded = 0;
    std::uint64_t evicted = 0;
    std::uint64_t unexported = 0;
    std::size_t chunks = 0;
  };
  Counts counts() const;

 private:
  class Pool;
  std::shared_ptr<SpanChunk> new_chunk();
  void seal(Slot& slot);
  void evict_one();
  std::size_t chunk_count() const { return sealed_.size() + open_count_; }

  const std::uint64_t id_;
  const std::size_t chunks_max_;
  const std::size_t export_chunks_max_;
  std::shared_ptr<Pool> pool_;

  mutable std::mutex mutex_;
  std::deque<Slot> slots_;
  std::vector<Slot*> free_slots_;
  std::size_t open_count_ = 0;
  std::deque<std::shared_ptr<SpanChunk>> sealed_;
  std::deque<std::vector<TraceId>> evicted_ids_;
  std::deque<SpanSlice> unexported_;
  bool exports_ = false;
  Counts counts_;
};

}  // namespace weft::telemetry
