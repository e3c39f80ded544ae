#include "telemetry/core/trace_ring.h"

#include <algorithm>

namespace weft::telemetry {

namespace {

std::atomic<std::uint64_t> rings_made{0};

// Which slot this thread used last, and of which ring: the hot path's only question.
struct LastUsed {
  std::uint64_t ring_id = 0;
  TraceRing::Slot* slot = nullptr;
};
constinit thread_local LastUsed last_used;

// The slots that this thread holds; gives them back when the thread ends.
class HeldSlots {
 public:
  ~HeldSlots() {
    for (auto& held : held_) {
      if (auto ring = held.ring.lock()) ring->release(*held.slot);
    }
    last_used = {};
  }

  TraceRing::Slot* find(std::uint64_t ring_id) const {
    for (const auto& held : held_) {
      if (held.ring_id == ring_id) return held.slot;
    }
    return nullptr;
  }

  void add(std::uint64_t ring_id, std::weak_ptr<TraceRing> ring, TraceRing::Slot* slot) {
    std::erase_if(held_, [](const Held& held) { return held.ring.expired(); });
    held_.push_back({ring_id, std::move(ring), slot});
  }

 private:
  struct Held {
    std::uint64_t ring_id;
    std::weak_ptr<TraceRing> ring;
    TraceRing::Slot* slot;
  };
  std::vector<Held> held_;
};
thread_local HeldSlots held_slots;

}  // namespace

// Keeps the memory of dropped chunks for the next ones: fresh pages would cost more than the spans.
class TraceRing::Pool {
 public:
  SpanChunk* take() {
    std::unique_ptr<SpanChunk> chunk;
    {
      std::lock_guard lock(mutex_);
      if (!spare_.empty()) {
        chunk = std::move(spare_.back());
        spare_.pop_back();
      }
    }
    if (!chunk) return new SpanChunk;
    // Makes it empty; what the bytes hold does not matter.
    std::destroy_at(chunk.get());
    return std::construct_at(chunk.release());
  }

  void give_back(SpanChunk* chunk) {
    std::unique_ptr<SpanChunk> owned(chunk);
    std::lock_guard lock(mutex_);
    if (spare_.size() < kSpareMax) spare_.push_back(std::move(owned));
  }

 private:
  static constexpr std::size_t kSpareMax = 2;
  std::mutex mutex_;
  std::vector<std::unique_ptr<SpanChunk>> spare_;
};

TraceRing::TraceRing(std::size_t chunks_max, std::size_t export_chunks_max)
    : id_(rings_made.fetch_add(1) + 1),
      chunks_max_(std::max<std::size_t>(chunks_max, 1)),
      export_chunks_max_(export_chunks_max),
      pool_(std::make_shared<Pool>()) {}

TraceRing::Slot& TraceRing::slot() {
  if (last_used.ring_id == id_) return *last_used.slot;
  auto* slot = held_slots.find(id_);
  if (slot == nullptr) {
    std::lock_guard lock(mutex_);
    if (free_slots_.empty()) {
      slot = &slots_.emplace_back();
    } else {
      slot = free_slots_.back();
      free_slots_.pop_back();
    }
    held_slots.add(id_, weak_from_this(), slot);
  }
  last_used = {id_, slot};
  return *slot;
}

void TraceRing::release(Slot& slot) {
  std::lock_guard lock(mutex_);
  free_slots_.push_back(&slot);
}

std::shared_ptr<SpanChunk> TraceRing::new_chunk() {
  return {pool_->take(), [pool = pool_](SpanChunk* chunk) { pool->give_back(chunk); }};
}

void TraceRing::roll(Slot& slot) {
  std::lock_guard lock(mutex_);
  if (slot.open)
    seal(slot);
  else
    ++open_count_;
  while (!sealed_.empty() && chunk_count() > chunks_max_) evict_one();
  slot.open = new_chunk();
  slot.writing = slot.open.get();
  slot.exported = 0;
}

void TraceRing::seal(Slot& slot) {
  const auto count = slot.open->count();
  counts_.recorded += count;
  if (exports_ && slot.exported < count) {
    unexported_.push_back({slot.open, slot.exported, count});
    if (unexported_.size() > export_chunks_max_) {
      counts_.unexported += unexported_.front().size();
      unexported_.pop_front();
    }
  }
  sealed_.push_back(std::move(slot.open));
}

void TraceRing::evict_one() {
  const auto& oldest = *sealed_.front();
  std::vector<TraceId> ids(oldest.count());
  for (std::uint32_t i = 0; i < ids.size(); ++i) ids[i] = oldest.entry(i).trace_id;
  counts_.evicted += ids.size();
  evicted_ids_.push_back(std::move(ids));
  if (evicted_ids_.size() > chunks_max_) evicted_ids_.pop_front();
  sealed_.pop_front();
}

std::vector<std::shared_ptr<const SpanChunk>> TraceRing::chunks() const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const SpanChunk>> chunks(sealed_.begin(), sealed_.end());
  for (const auto& slot : slots_) {
    if (slot.open) chunks.push_back(slot.open);
  }
  return chunks;
}

TraceIds TraceRing::damaged(const TraceIds& traces) const {
  TraceIds damaged;
  std::lock_guard lock(mutex_);
  for (const auto& ids : evicted_ids_) {
    for (const auto& id : ids) {
      if (traces.contains(id)) damaged.insert(id);
    }
  }
  return damaged;
}

void TraceRing::start_export() {
  std::lock_guard lock(mutex_);
  if (std::exchange(exports_, true)) return;
  for (auto& slot : slots_) {
    if (slot.open) slot.exported = slot.open->count();
  }
}

std::vector<SpanSlice> TraceRing::take_unexported(std::size_t spans_max) {
  std::lock_guard lock(mutex_);
  std::vector<SpanSlice> taken;
  std::size_t spans = 0;
  // A slice that is larger than what is still wanted is cut, and its rest stays.
  auto take = [&](SpanSlice& slice) {
    auto part = slice;
    part.last = part.first +
                static_cast<std::uint32_t>(std::min<std::size_t>(slice.size(), spans_max - spans));
    slice.first = part.last;
    spans += part.size();
    if (part.size() > 0) taken.push_back(std::move(part));
  };
  while (!unexported_.empty() && spans < spans_max) {
    take(unexported_.front());
    if (unexported_.front().size() == 0) unexported_.pop_front();
  }
  for (auto& slot : slots_) {
    if (!slot.open || !exports_) continue;
    SpanSlice rest{slot.open, slot.exported, slot.open->count()};
    take(rest);
    slot.exported = rest.first;
  }
  return taken;
}

std::vector<SpanSlice> TraceRing::unexported() const {
  std::lock_guard lock(mutex_);
  std::vector<SpanSlice> slices(unexported_.begin(), unexported_.end());
  for (const auto& slot : slots_) {
    if (slot.open && exports_) slices.push_back({slot.open, slot.exported, slot.open->count()});
  }
  return slices;
}

TraceRing::Counts TraceRing::counts() const {
  std::lock_guard lock(mutex_);
  auto counts = counts_;
  for (const auto& slot : slots_) {
    if (slot.open) counts.recorded += slot.open->count();
  }
  counts.chunks = chunk_count();
  return counts;
}

}  // namespace weft::telemetry
