#include "telemetry/trace_store.h"

#include <atomic>
#include <cmath>

#include "telemetry/core/trace_ring.h"
#include "telemetry/core/trace_search.h"

namespace weft::telemetry {

namespace {

// The id is random, so its last bytes are as good as a die that every node throws alike
// (OpenTelemetry's TraceIdRatioBased).
std::uint64_t die_of(const TraceId& id) {
  std::uint64_t die;
  std::memcpy(&die, id.data() + 8, sizeof die);
  return die;
}

std::uint64_t threshold_of(double ratio) {
  if (ratio >= 1) return std::numeric_limits<std::uint64_t>::max();
  return ratio <= 0 ? 0 : static_cast<std::uint64_t>(std::ldexp(ratio, 64));
}

}  // namespace

struct TraceStore::State {
  explicit State(TraceStoreOptions chosen)
      : options(std::move(chosen)),
        keeps_all(options.sampling.keep_ratio >= 1),
        threshold(threshold_of(options.sampling.keep_ratio)),
        ring(std::make_shared<TraceRing>(options.bytes_max / sizeof(SpanChunk),
                                         options.export_chunks_max)) {}

  const TraceStoreOptions options;
  const bool keeps_all;
  const std::uint64_t threshold;
  const std::shared_ptr<TraceRing> ring;
  std::atomic<std::uint64_t> sampled_out{0};

  template <class AnySpan>
  bool keeps(const AnySpan& span) const {
    if (keeps_all || die_of(span.context.trace_id) < threshold) return true;
    if (span.failed && options.sampling.keep_failed) return true;
    return span.end - span.start >= options.sampling.keep_slower_than;
  }

  template <class AnySpan>
  void add(const AnySpan& span) {
    if (!keeps(span)) {
      sampled_out.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    auto& slot = ring->slot();
    if (slot.writing != nullptr && slot.writing->append(span)) return;
    ring->roll(slot);
    slot.writing->append(span);
  }
};

TraceStore::TraceStore(TraceStoreOptions options)
    : state_(std::make_shared<State>(std::move(options))) {}

TraceStore::~TraceStore() = default;

void TraceStore::record(Span span) {
  state_->add(span);
}

void TraceStore::record_view(const SpanView& view) {
  state_->add(view);
}

Result<Trace> TraceStore::find(std::string_view id_prefix) const {
  const auto chunks = state_->ring->chunks();
  TRY(auto ids, ids_with_prefix(chunks, id_prefix));
  if (ids.empty()) return fail(ErrorCode::NotFound, "no trace {} is in memory", id_prefix);
  if (ids.size() > 1) {
    return fail(ErrorCode::Conflict, "several traces begin with {}: give more digits", id_prefix);
  }
  Trace trace;
  trace.trace_id = hex_of(ids.front());
  trace.spans = spans_of(chunks, ids.front());
  trace.is_complete = state_->ring->damaged({ids.front()}).empty();
  return trace;
}

std::vector<TraceSummary> TraceStore::search(const TraceQuery& query) const {
  const auto chunks = state_->ring->chunks();
  auto found = search_traces(chunks, query, state_->options.service);
  TraceIds ids;
  for (const auto& [id, summary] : found) ids.insert(id);
  const auto damaged = state_->ring->damaged(ids);
  std::vector<TraceSummary> summaries;
  for (auto& [id, summary] : found) {
    summary.is_complete = !damaged.contains(id);
    summaries.push_back(std::move(summary));
  }
  return summaries;
}

TraceStoreStats TraceStore::stats() const {
  const auto counts = state_->ring->counts();
  TraceStoreStats stats;
  stats.spans_recorded = counts.recorded;
  stats.spans_sampled_out = state_->sampled_out.load(std::memory_order_relaxed);
  stats.spans_evicted = counts.evicted;
  stats.spans_unexported = counts.unexported;
  stats.bytes = counts.chunks * sizeof(SpanChunk);
  return stats;
}

void TraceStore::start_export() {
  state_->ring->start_export();
}

std::vector<SpanSlice> TraceStore::take_unexported(std::size_t spans_max) {
  return state_->ring->take_unexported(spans_max);
}

}  // namespace weft::telemetry
