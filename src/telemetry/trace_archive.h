// Traces on disk: what TraceStore keeps, in segments of a bounded size of which the oldest go; the
// format is docs/formats/trace-archive.md.
//
// Bounded by size and age. Not synced: what the system had not written when the machine failed is
// lost, what a process wrote before it was killed is not. Blocks its thread; one thread writes, any
// may read what snapshot() gave it, also while segments go.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "runtime/disk.h"
#include "telemetry/core/span_chunk.h"

namespace weft::telemetry {

struct TraceArchiveOptions {
  std::string folder;
  std::uint64_t bytes_max = 256 * 1024 * 1024;
  Duration age_max = 7 * 24h;  // of a segment's newest span; zero: any
};

// One file. Immutable but for its end, which only grows: `bytes` says how far it is read.
struct TraceSegment {
  std::string path;
  std::uint64_t number = 0;
  std::shared_ptr<File> file;
  std::uint64_t bytes = 0;
  std::int64_t end_max = std::numeric_limits<std::int64_t>::min();
  // The first four bytes of each trace id, so that a trace is looked for where it may be.
  std::shared_ptr<std::vector<std::uint32_t>> ids = std::make_shared<std::vector<std::uint32_t>>();
};

class TraceArchive {
 public:
  // Reads the ids of what is there; a torn end of the newest segment is cut.
  static Result<std::unique_ptr<TraceArchive>> open(FileSystem& files, TraceArchiveOptions options);

  Result<> append(std::span<const SpanSlice> slices);
  // Removes what is too old or too much.
  Result<> trim(WallTime now);
  // Newest first.
  std::vector<TraceSegment> snapshot() const;
  // The spans of a segment; those before a damaged frame when there is one.
  Result<std::vector<SpanSlice>> read(const TraceSegment& segment) const;
  std::uint64_t bytes() const;
  // Whether spans of a trace whose id begins so went with a segment, as far back as is known: as
  // many segments as there are, since the start.
  bool has_dropped(std::uint32_t head) const;

 private:
  TraceArchive(FileSystem& files, TraceArchiveOptions options);
  Result<TraceSegment> load(const std::string& name);
  Result<> roll();
  Result<> remove_oldest();

  FileSystem& files_;
  const TraceArchiveOptions options_;
  const std::uint64_t segment_bytes_;
  std::deque<TraceSegment> segments_;  // oldest first; the last is written to
  std::deque<std::shared_ptr<std::vector<std::uint32_t>>> dropped_;
  bool is_writable_ = false;  // the last segment's end is known to be whole
};

std::uint32_t id_head(const TraceId& id);

}  // namespace weft::telemetry
