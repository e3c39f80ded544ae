#include "telemetry/core/trace_settling.h"

namespace weft::telemetry {

void Settling::choose(const TraceId& id) {
  if (!chosen_.insert(id).second) return;
  chosen_order_.push_back(id);
  if (chosen_order_.size() <= options_.chosen_traces_max) return;
  chosen_.erase(chosen_order_.front());
  chosen_order_.pop_front();
}

void Settling::add(std::vector<SpanSlice> slices, WallTime now) {
  for (auto& slice : slices) {
    if (slice.size() == 0) continue;
    Waiting waiting{std::move(slice), now, true};
    const auto& chunk = *waiting.slice.chunk;
    for (auto i = waiting.slice.first; i < waiting.slice.last; ++i) {
      const auto head = chunk.head(i);
      if (head.sampled) continue;
      waiting.all_sampled = false;
      if (options_.sampling.chooses(head.failed, Duration(head.end - head.start)))
        choose(chunk.entry(i).trace_id);
    }
    ++pinned_[waiting.slice.chunk.get()];
    waiting_.push_back(std::move(waiting));
  }
}

std::vector<SpanSlice> Settling::take_decided(WallTime now) {
  std::vector<SpanSlice> kept;
  while (!waiting_.empty()) {
    const auto& oldest = waiting_.front();
    const bool is_due = oldest.all_sampled || pinned_.size() > options_.pending_chunks_max ||
                        now - oldest.since >= options_.sampling.wait;
    if (!is_due) break;
    decide(oldest, kept);
    release(oldest.slice);
    waiting_.pop_front();
  }
  return kept;
}

void Settling::release(const SpanSlice& slice) {
  auto pinned = pinned_.find(slice.chunk.get());
  if (--pinned->second == 0) pinned_.erase(pinned);
}

void Settling::decide(const Waiting& waiting, std::vector<SpanSlice>& kept) {
  const auto& slice = waiting.slice;
  if (waiting.all_sampled) {
    kept.push_back(slice);
    return;
  }
  for (auto i = slice.first; i < slice.last; ++i) {
    if (slice.chunk->head(i).sampled || chosen_.contains(slice.chunk->entry(i).trace_id))
      copy(slice, i, kept);
    else
      ++sampled_out_;
  }
}

void Settling::copy(const SpanSlice& slice, std::uint32_t i, std::vector<SpanSlice>& kept) {
  const auto id = slice.chunk->entry(i).trace_id;
  const auto bytes = slice.chunk->bytes(i);
  if (!copies_ || !copies_->append_stored(id, bytes)) {
    copies_ = std::make_shared<SpanChunk>();
    copies_->append_stored(id, bytes);
  }
  const auto last = copies_->count();
  if (!kept.empty() && kept.back().chunk == copies_ && kept.back().last == last - 1)
    kept.back().last = last;
  else
    kept.push_back({copies_, last - 1, last});
}

std::vector<SpanSlice> Settling::pending() const {
  std::vector<SpanSlice> slices;
  for (const auto& waiting : waiting_) slices.push_back(waiting.slice);
  return slices;
}

}  // namespace weft::telemetry
