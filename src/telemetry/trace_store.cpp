#include "telemetry/trace_store.h"

#include <atomic>
#include <unordered_map>

#include "runtime/log.h"
#include "runtime/metrics.h"
#include "telemetry/core/trace_ring.h"
#include "telemetry/core/trace_search.h"
#include "telemetry/core/trace_settling.h"
#include "telemetry/trace_archive.h"

namespace weft::telemetry {

namespace {

constexpr auto kAll = std::numeric_limits<std::size_t>::max();

// What a search reads: what is in memory, and the archive's segments, newest first.
struct Sources {
  std::vector<SpanSlice> memory;
  std::vector<TraceSegment> segments;
};

// The first four bytes of all ids that begin with these digits.
std::pair<std::uint32_t, std::uint32_t> heads_of(std::string_view prefix) {
  auto digits = std::string(prefix.substr(0, 8));
  auto padded = [&](char with) {
    auto whole = digits + std::string(8 - digits.size(), with);
    return static_cast<std::uint32_t>(std::stoul(whole, nullptr, 16));
  };
  return {padded('0'), padded('f')};
}

bool may_hold(const TraceSegment& segment, std::uint32_t from, std::uint32_t to) {
  auto at = std::ranges::lower_bound(*segment.ids, from);
  return at != segment.ids->end() && *at <= to;
}

bool may_hold_any(const TraceSegment& segment, const std::vector<TraceId>& ids) {
  return std::ranges::any_of(
      ids, [&](const TraceId& id) { return may_hold(segment, id_head(id), id_head(id)); });
}

}  // namespace

struct TraceStore::State {
  explicit State(TraceStoreOptions chosen)
      : options(std::move(chosen)),
        ring(std::make_shared<TraceRing>(options.bytes_max / sizeof(SpanChunk),
                                         options.export_chunks_max)),
        settling(
            {options.sampling, options.bytes_max / sizeof(SpanChunk), options.chosen_traces_max}),
        archives(options.has_archive),
        settles(archives) {
    if (archives) ring->start_export();
  }

  const TraceStoreOptions options;
  const std::shared_ptr<TraceRing> ring;
  Counter never_recorded;  // sampled out by keeps_last()

  mutable std::mutex mutex;  // of what follows; held while the archive is written
  Settling settling;
  std::unique_ptr<TraceArchive> archive;
  bool archives;  // or will, once the archive is open
  bool settles;
  bool was_failing = false;
  std::uint64_t unarchived = 0;
  struct Waiting {
    std::deque<SpanSlice> slices;
    std::uint64_t given_up = 0;
  };
  std::vector<Waiting> exporting;  // by ExportQueue

  template <class AnySpan>
  void add(const AnySpan& span) {
    if (!options.records) return;
    auto& slot = ring->slot();
    if (slot.writing != nullptr && slot.writing->append(span)) return;
    ring->roll(slot);
    slot.writing->append(span);
  }

  Sources sources() const {
    std::lock_guard lock(mutex);
    Sources sources;
    if (archives) {
      sources.memory = settling.pending();
      for (auto& slice : ring->unexported()) sources.memory.push_back(std::move(slice));
      if (archive) sources.segments = archive->snapshot();
      return sources;
    }
    for (auto& chunk : ring->chunks()) {
      const auto count = chunk->count();
      sources.memory.push_back({std::move(chunk), 0, count});
    }
    return sources;
  }

  // The spans of a segment that cannot be read are left out: the rest is still of use.
  std::vector<SpanSlice> read(const TraceSegment& segment) const {
    auto slices = archive->read(segment);
    if (slices) return std::move(*slices);
    log_warn("telemetry", "a file of traces cannot be read",
             {{"file", segment.path}, {"why", slices.error().message}});
    return {};
  }

  bool is_damaged(const TraceId& id) const {
    std::lock_guard lock(mutex);
    if (archives) return archive && archive->has_dropped(id_head(id));
    return !ring->damaged({id}).empty();
  }

  void export_later(const std::vector<SpanSlice>& kept) {
    for (auto& queue : exporting) {
      for (const auto& slice : kept) add_to(queue, slice);
    }
  }

  void add_to(Waiting& queue, const SpanSlice& slice) {
    auto& slices = queue.slices;
    if (!slices.empty() && slices.back().chunk == slice.chunk &&
        slices.back().last == slice.first) {
      slices.back().last = slice.last;
      return;
    }
    slices.push_back(slice);
    if (slices.size() <= options.export_chunks_max) return;
    queue.given_up += slices.front().size();
    slices.pop_front();
  }

  void archive_now(const std::vector<SpanSlice>& kept, WallTime now) {
    auto written = archive->append(kept);
    if (written) written = archive->trim(now);
    const bool is_failing = !written.has_value();
    if (is_failing) {
      for (const auto& slice : kept) unarchived += slice.size();
    }
    // Once per outage: a full disk must not fill the log too.
    if (is_failing && !was_failing) {
      log_error("telemetry", "traces cannot be written to disk",
                {{"why", written.error().message}});
    }
    was_failing = is_failing;
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

bool TraceStore::keeps_last(bool is_sampled, bool has_failed, Duration took) {
  const auto& options = state_->options;
  if (!options.records) return false;
  if (is_sampled || !options.has_archive || options.sampling.chooses(has_failed, took)) return true;
  state_->never_recorded.add();
  return false;
}

Result<Trace> TraceStore::find(std::string_view id_prefix) const {
  CHECK(check_prefix(id_prefix));
  const auto sources = state_->sources();
  const auto [from, to] = heads_of(id_prefix);
  std::vector<TraceId> ids;
  add_ids_with_prefix(sources.memory, id_prefix, ids);
  std::vector<std::vector<SpanSlice>> parts;
  for (const auto& segment : sources.segments) {
    if (!may_hold(segment, from, to)) continue;
    parts.push_back(state_->read(segment));
    add_ids_with_prefix(parts.back(), id_prefix, ids);
  }
  if (ids.empty()) return fail(ErrorCode::NotFound, "no trace {} is stored", id_prefix);
  if (ids.size() > 1) {
    return fail(ErrorCode::Conflict, "several traces begin with {}: give more digits", id_prefix);
  }
  Trace trace;
  trace.trace_id = hex_of(ids.front());
  add_spans_of(sources.memory, ids.front(), trace.spans);
  for (const auto& part : parts) add_spans_of(part, ids.front(), trace.spans);
  std::ranges::stable_sort(trace.spans, {}, &Span::start);
  trace.is_complete = !state_->is_damaged(ids.front());
  return trace;
}

std::vector<TraceSummary> TraceStore::search(const TraceQuery& query) const {
  const auto sources = state_->sources();
  TraceSearch search(query, state_->options.service);
  search.add(sources.memory);
  for (const auto& segment : sources.segments) {
    if (search.is_settled(segment.end_max)) break;
    search.add(state_->read(segment));
  }
  const auto& ids = search.choose();
  search.sum_up(sources.memory);
  for (const auto& segment : sources.segments) {
    if (may_hold_any(segment, ids)) search.sum_up(state_->read(segment));
  }
  std::vector<TraceSummary> summaries;
  for (auto& [id, summary] : search.summaries()) {
    summary.is_complete = !state_->is_damaged(id);
    summaries.push_back(std::move(summary));
  }
  return summaries;
}

TraceStoreStats TraceStore::stats() const {
  const auto counts = state_->ring->counts();
  std::lock_guard lock(state_->mutex);
  TraceStoreStats stats;
  const auto never_recorded = state_->never_recorded.value();
  stats.spans_ended = counts.recorded + never_recorded;
  stats.spans_recorded = counts.recorded;
  stats.spans_sampled_out = state_->settling.sampled_out() + never_recorded;
  stats.spans_evicted = counts.evicted;
  for (const auto& queue : state_->exporting)
    stats.spans_unexported += queue.given_up + counts.unexported;
  stats.spans_unarchived = state_->unarchived + (state_->archives ? counts.unexported : 0);
  stats.bytes = counts.chunks * sizeof(SpanChunk);
  if (state_->archive) stats.archive_bytes = state_->archive->bytes();
  return stats;
}

ExportQueue TraceStore::start_export() {
  std::lock_guard lock(state_->mutex);
  state_->exporting.emplace_back();
  state_->ring->start_export();
  return ExportQueue(state_->exporting.size() - 1);
}

std::uint64_t TraceStore::unexported(ExportQueue queue) const {
  const auto in_ring = state_->ring->counts().unexported;
  std::lock_guard lock(state_->mutex);
  return state_->exporting.at(std::to_underlying(queue)).given_up + in_ring;
}

std::vector<SpanSlice> TraceStore::take_unexported(ExportQueue queue, std::size_t spans_max) {
  std::lock_guard lock(state_->mutex);
  // With an archive they wait for its opening, else it would not get them.
  if (!state_->settles && !state_->archives)
    state_->export_later(state_->ring->take_unexported(kAll));
  std::vector<SpanSlice> taken;
  std::size_t spans = 0;
  auto& waiting = state_->exporting.at(std::to_underlying(queue)).slices;
  while (!waiting.empty() && spans < spans_max) {
    auto& front = waiting.front();
    auto part = front;
    part.last = part.first +
                static_cast<std::uint32_t>(std::min<std::size_t>(front.size(), spans_max - spans));
    front.first = part.last;
    spans += part.size();
    taken.push_back(std::move(part));
    if (front.size() == 0) waiting.pop_front();
  }
  return taken;
}

void TraceStore::open_archive(std::unique_ptr<TraceArchive> archive) {
  std::lock_guard lock(state_->mutex);
  state_->archive = std::move(archive);
  state_->archives = state_->archive != nullptr;
  state_->settles = true;
  state_->ring->start_export();
}

void TraceStore::settle(WallTime now) {
  std::lock_guard lock(state_->mutex);
  state_->settles = true;
  if (state_->archives ? !state_->archive : state_->exporting.empty()) return;
  state_->settling.add(state_->ring->take_unexported(kAll), now);
  const auto kept = state_->settling.take_decided(now);
  if (state_->archive) state_->archive_now(kept, now);
  state_->export_later(kept);
}

}  // namespace weft::telemetry
