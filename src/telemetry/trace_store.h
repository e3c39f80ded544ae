// The recent traces: where every span of the process is recorded, searched by the operator and
// taken from by the exporter.
//
// Recording is what hot paths pay: a copy into a block of memory of the calling thread's own,
// without a lock or an allocation; prefer record_view(). The blocks together form a ring: when it
// is full, the oldest block goes. A trace that lost spans that way is shown as incomplete, never as
// whole.
//
// With an archive, settle() moves what is kept from memory to disk, and a search reads both. What
// is kept is decided there, out of the way of those who record: a trace that is sampled (W3C), that
// failed or that was slow. Without an archive a search finds all that is in memory.
//
// Threads: everything from any thread. A search reads the ring (up to 30 ms for 16 MiB of small
// traces, find() 1 ms) and of the archive as much as it needs. Not on an event loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "runtime/spans.h"

namespace weft::telemetry {

struct SpanSlice;
class TraceArchive;

// Which traces are kept beyond those whose context is sampled (set_trace_sampling). A span waits
// for `wait` in memory, so that a trace that fails late is kept whole; when memory is short, for
// less.
struct SpanSampling {
  bool keep_failed = true;
  Duration keep_slower_than = 1s;  // zero: none is kept for being slow
  Duration wait = 5s;

  // Whether a span makes its trace one that is kept, sampled or not.
  bool chooses(bool has_failed, Duration took) const {
    if (has_failed && keep_failed) return true;
    return keep_slower_than > Duration::zero() && took >= keep_slower_than;
  }
};

struct TraceStoreOptions {
  // Memory for spans; a full ring's limit, taken only as spans come. At least one block of 64 KiB
  // per recording thread.
  std::size_t bytes_max = 16 * 1024 * 1024;
  // Blocks that wait for a slow exporter beyond those that the ring holds anyway.
  std::size_t export_chunks_max = 64;
  // Failed and slow traces that are remembered so that spans that come later are kept too.
  std::size_t chosen_traces_max = 50'000;
  SpanSampling sampling;
  bool records = true;  // false: what is recorded is forgotten
  // open_archive() will be called: what is recorded until then waits for it.
  bool has_archive = false;
  std::string service = "weft";  // of spans that name none in service.name
};

struct Trace {
  std::string trace_id;     // 32 hexadecimal digits
  std::vector<Span> spans;  // by start
  bool is_complete = true;  // false: older spans were dropped
};

struct TraceSummary {
  std::string trace_id;
  std::string name;  // of the root, or of the earliest span
  std::string service;
  std::vector<std::string> services;  // of all its spans, sorted
  std::string route;                  // http.route of the root, when it has one
  WallTime start{};
  Duration duration{};  // from the first start to the last end
  std::uint32_t span_count = 0;
  std::uint32_t failed_count = 0;
  std::vector<std::string> business_keys;
  bool is_complete = true;
  WallTime position{};  // in the list: for `before` of the next page
};

// All conditions hold for one trace, each by any of its spans.
struct TraceQuery {
  std::string id_prefix{};  // hexadecimal, lower case; any length up to 32
  std::string service{};
  std::string route{};         // http.route
  std::string business_key{};  // value of weft.business_key or of weft.business_key.<name>
  std::vector<std::pair<std::string, std::string>> attributes{};
  std::string
      text{};  // found in a span's name or in a value; case of ASCII letters does not matter
  bool failed_only = false;
  Duration duration_min{};
  std::optional<WallTime> before{};  // start of the trace: for the next page
  std::optional<WallTime> since{};   // start of the trace
  std::size_t limit = 50;
};

struct TraceStoreStats {
  std::uint64_t spans_ended = 0;  // recorded, or sampled out before that
  std::uint64_t spans_recorded = 0;
  std::uint64_t spans_sampled_out = 0;
  std::uint64_t spans_evicted = 0;
  std::uint64_t spans_unexported = 0;  // left the store before an exporter took them, of each
  std::uint64_t spans_unarchived = 0;  // left memory before settle(), or the disk did not take them
  std::size_t bytes = 0;
  std::uint64_t archive_bytes = 0;
};

enum class ExportQueue : std::uint8_t {};

class TraceStore final : public SpanSink {
 public:
  explicit TraceStore(TraceStoreOptions options = {});
  ~TraceStore() override;
  TraceStore(const TraceStore&) = delete;
  TraceStore& operator=(const TraceStore&) = delete;

  void record(Span span) override;
  void record_view(const SpanView& view) override;
  // As settle() would decide. Without an archive all are kept, in memory.
  bool keeps_last(bool is_sampled, bool has_failed, Duration took) override;

  // By a whole id or a unique prefix of at least 4 digits. NotFound, or Conflict when several
  // match.
  Result<Trace> find(std::string_view id_prefix) const;
  // Newest first.
  std::vector<TraceSummary> search(const TraceQuery& query) const;
  TraceStoreStats stats() const;

  // Once. Null when there is none after all: then traces are kept in memory.
  void open_archive(std::unique_ptr<TraceArchive> archive);
  // Decides about the spans that have waited long enough and moves on those that are kept: to the
  // archive and to the exporter. Some times a second; `now` in the far future decides about all.
  // Writes to disk.
  void settle(WallTime now);

  // For an exporter: from start_export() on, recorded spans wait to be taken, about `spans_max` at
  // a time, oldest blocks first. Each exporter gets all of them, and has a queue of its own; the
  // blocks are shared.
  ExportQueue start_export();
  std::vector<SpanSlice> take_unexported(ExportQueue queue, std::size_t spans_max);
  // What that queue gave up, since the start.
  std::uint64_t unexported(ExportQueue queue) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace weft::telemetry
