// Segments: immutable files that hold the batches of many partitions, each partition's in one piece
// (an extent), described by a footer. Format: docs/formats/segment.md. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "eventlog/core/intact_prefix.h"
#include "eventlog/types.h"

namespace weft::eventlog {

inline constexpr std::uint32_t kSegmentFormat = 1;
inline constexpr std::size_t kSegmentHeaderBytes = 64;
inline constexpr std::size_t kSegmentTrailerBytes = 24;
inline constexpr std::size_t kIndexPointsMax = 256;         // of one extent
inline constexpr std::uint64_t kIndexInterval = 64 * 1024;  // bytes between points, at least

// A batch inside an extent where reading may begin.
struct IndexPoint {
  Offset base_offset = 0;
  std::uint32_t at = 0;            // from the extent's first byte
  std::int64_t max_timestamp = 0;  // of the batches from here to the next point
  bool operator==(const IndexPoint&) const = default;
};

// The batches of one partition in [first, end), in order, without a gap in the bytes.
struct Extent {
  PartitionId partition;
  std::uint64_t segment = 0;
  std::uint64_t at = 0;  // in the segment's file
  std::uint64_t bytes = 0;
  Offset first = 0;
  Offset end = 0;
  std::int64_t max_timestamp = 0;
  std::vector<IndexPoint> points;
  IntactPrefix intact;
  bool operator==(const Extent&) const = default;

  // Where to start reading for `offset`; requires first <= offset.
  const IndexPoint& point_before(Offset offset) const;
};

// Collects an extent's description while its batches are written.
class ExtentBuilder {
 public:
  // `bytes_expected` sets the distance of the index points.
  ExtentBuilder(PartitionId partition, std::uint64_t segment, std::uint64_t at,
                std::uint64_t bytes_expected);
  void add(Offset base, Offset last, std::int64_t max_timestamp, std::uint64_t bytes);
  Extent finish() { return std::move(extent_); }

 private:
  Extent extent_;
  std::uint64_t interval_;
};

std::string encode_segment_header(std::uint64_t segment, const Uuid& cluster);
// Footer and trailer; `footer_at` is where it will stand in the file.
std::string encode_segment_footer(const std::vector<Extent>& extents, std::uint64_t footer_at);

struct SegmentTrailer {
  std::uint64_t footer_at = 0;
  std::uint32_t footer_bytes = 0;
};
// From the last kSegmentTrailerBytes of the file. FailedPrecondition for a newer format.
Result<SegmentTrailer> decode_segment_trailer(std::string_view bytes);
Result<std::vector<Extent>> decode_segment_footer(std::string_view bytes, std::uint64_t segment);

}  // namespace weft::eventlog
