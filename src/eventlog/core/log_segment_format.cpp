#include "eventlog/core/log_segment_format.h"

#include <algorithm>

#include "eventlog/core/log_fields.h"

namespace weft::eventlog {

namespace {

constexpr std::string_view kSegmentMagic = "WEFTSEG\n";
constexpr std::string_view kSegmentEndMagic = "GESTFEW\n";
constexpr std::size_t kPointBytes = 20;
constexpr std::size_t kExtentBytes = 52;

}  // namespace

const IndexPoint& Extent::point_before(Offset offset) const {
  auto after = std::ranges::upper_bound(points, offset, {}, &IndexPoint::base_offset);
  return after == points.begin() ? points.front() : *(after - 1);
}

ExtentBuilder::ExtentBuilder(PartitionId partition, std::uint64_t segment, std::uint64_t at,
                             std::uint64_t bytes_expected)
    : interval_(std::max(kIndexInterval, bytes_expected / kIndexPointsMax + 1)) {
  extent_.partition = partition;
  extent_.segment = segment;
  extent_.at = at;
}

void ExtentBuilder::add(Offset base, Offset last, std::int64_t max_timestamp, std::uint64_t bytes) {
  auto& points = extent_.points;
  if (points.empty() || extent_.bytes - points.back().at >= interval_) {
    points.push_back({base, static_cast<std::uint32_t>(extent_.bytes), max_timestamp});
  }
  if (extent_.bytes == 0) {
    extent_.first = base;
    extent_.max_timestamp = max_timestamp;
  }
  points.back().max_timestamp = std::max(points.back().max_timestamp, max_timestamp);
  extent_.max_timestamp = std::max(extent_.max_timestamp, max_timestamp);
  extent_.end = last + 1;
  extent_.bytes += bytes;
}

std::string encode_segment_header(std::uint64_t segment, const Uuid& cluster) {
  std::string bytes(kSegmentMagic);
  FieldWriter fields(bytes);
  fields.number(kSegmentFormat);
  fields.uuid(cluster);
  fields.number(segment);
  fields.number(std::uint64_t{0});  // reserved: key id
  fields.number(std::uint64_t{0});  // reserved: tenant id
  bytes.resize(kSegmentHeaderBytes - 4, '\0');
  fields.number(crc32c(bytes));
  return bytes;
}

std::string encode_segment_footer(const std::vector<Extent>& extents, std::uint64_t footer_at) {
  std::string bytes;
  FieldWriter fields(bytes);
  fields.number(static_cast<std::uint32_t>(extents.size()));
  for (const auto& extent : extents) {
    fields.partition(extent.partition);
    fields.number(extent.at);
    fields.number(extent.bytes);
    fields.number(extent.first);
    fields.number(extent.end);
    fields.number(extent.max_timestamp);
    fields.number(static_cast<std::uint32_t>(extent.points.size()));
    for (const auto& point : extent.points) {
      fields.number(point.base_offset);
      fields.number(point.at);
      fields.number(point.max_timestamp);
    }
  }
  fields.number(crc32c(bytes));
  auto footer_bytes = static_cast<std::uint32_t>(bytes.size());
  fields.number(footer_at);
  fields.number(footer_bytes);
  fields.number(kSegmentFormat);
  bytes += kSegmentEndMagic;
  return bytes;
}

Result<SegmentTrailer> decode_segment_trailer(std::string_view bytes) {
  if (bytes.size() != kSegmentTrailerBytes || !bytes.ends_with(kSegmentEndMagic)) {
    return fail(ErrorCode::DataLoss, "the segment's end is missing");
  }
  FieldReader fields(bytes);
  SegmentTrailer trailer;
  trailer.footer_at = fields.number<std::uint64_t>();
  trailer.footer_bytes = fields.number<std::uint32_t>();
  auto format = fields.number<std::uint32_t>();
  if (format > kSegmentFormat) {
    return fail(ErrorCode::FailedPrecondition,
                "written by a newer version: segment format {}, this program reads up to {}",
                format, kSegmentFormat);
  }
  return trailer;
}

Result<std::vector<Extent>> decode_segment_footer(std::string_view bytes, std::uint64_t segment) {
  if (bytes.size() < 8 || load_be<std::uint32_t>(bytes.data() + bytes.size() - 4) !=
                              crc32c(bytes.substr(0, bytes.size() - 4))) {
    return fail(ErrorCode::DataLoss, "the footer's checksum differs");
  }
  FieldReader fields(bytes.substr(0, bytes.size() - 4));
  std::vector<Extent> extents(fields.count(kExtentBytes));
  for (auto& extent : extents) {
    extent.segment = segment;
    extent.partition = fields.partition();
    extent.at = fields.number<std::uint64_t>();
    extent.bytes = fields.number<std::uint64_t>();
    extent.first = fields.number<std::int64_t>();
    extent.end = fields.number<std::int64_t>();
    extent.max_timestamp = fields.number<std::int64_t>();
    extent.points.resize(fields.count(kPointBytes));
    for (auto& point : extent.points) {
      point.base_offset = fields.number<std::int64_t>();
      point.at = fields.number<std::uint32_t>();
      point.max_timestamp = fields.number<std::int64_t>();
    }
    if (extent.points.empty()) return fail(ErrorCode::DataLoss, "an extent without index points");
  }
  if (!fields.ok()) return fail(ErrorCode::DataLoss, "malformed footer");
  return extents;
}

}  // namespace weft::eventlog
