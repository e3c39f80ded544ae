// Tail sampling: spans wait here until it is decided which of them are kept. Pure; one thread.
//
// A slice all of whose spans are sampled is kept as it is, at once. Otherwise it waits, and then
// the spans of traces that are sampled, that failed or that were slow are copied. Bounded: when
// more blocks wait than may, the oldest are decided early; of the chosen traces the oldest are
// forgotten.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "telemetry/core/span_chunk.h"
#include "telemetry/core/trace_ring.h"
#include "telemetry/trace_store.h"

namespace weft::telemetry {

struct SettlingOptions {
  SpanSampling sampling;
  std::size_t pending_chunks_max = 256;
  std::size_t chosen_traces_max = 50'000;
};

class Settling {
 public:
  explicit Settling(SettlingOptions options) : options_(options) {}

  void add(std::vector<SpanSlice> slices, WallTime now);
  // Those that are kept, of the spans that have waited long enough.
  std::vector<SpanSlice> take_decided(WallTime now);
  std::vector<SpanSlice> pending() const;
  std::uint64_t sampled_out() const { return sampled_out_; }

 private:
  struct Waiting {
    SpanSlice slice;
    WallTime since{};
    bool all_sampled = true;
  };

  void choose(const TraceId& id);
  void decide(const Waiting& waiting, std::vector<SpanSlice>& kept);
  void release(const SpanSlice& slice);
  void copy(const SpanSlice& slice, std::uint32_t i, std::vector<SpanSlice>& kept);

  const SettlingOptions options_;
  std::deque<Waiting> waiting_;
  std::unordered_map<const SpanChunk*, std::uint32_t> pinned_;  // by how many slices that wait
  TraceIds chosen_;
  std::deque<TraceId> chosen_order_;  // oldest first
  std::shared_ptr<SpanChunk> copies_;
  std::uint64_t sampled_out_ = 0;
};

}  // namespace weft::telemetry
