#include "eventlog/embedded/intact_run.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "eventlog/core/record_batch.h"

namespace weft::eventlog {
namespace {

constexpr std::uint64_t kSampleEvery = 64 * 1024;
constexpr int kHeadersMax = 16;  // read at either end of a run

std::size_t read_warm(const File& file, std::span<char> into, std::uint64_t at) {
  const iovec part{into.data(), into.size()};
  const auto got = ::preadv2(file.descriptor(), &part, 1, static_cast<off_t>(at), RWF_NOWAIT);
  return got < 0 ? 0 : static_cast<std::size_t>(got);
}

// Goes over the batches of an extent's intact part by their headers.
class HeaderWalk {
 public:
  HeaderWalk(const File& file, const Extent& extent)
      : file_(file), extent_(extent), intact_(extent.intact.bytes()) {}

  // Of the batch that begins there; absent behind the intact part, where the header is not in
  // memory, and when enough were read.
  std::optional<BatchHeader> header_at(std::uint64_t at) {
    if (at + kBatchHeaderBytes > intact_ || ++read_ > kHeadersMax) return std::nullopt;
    std::array<char, kBatchHeaderBytes> bytes;
    if (read_warm(file_, bytes, extent_.at + at) < bytes.size()) return std::nullopt;
    const auto header = read_batch_header(std::string_view(bytes.data(), bytes.size()));
    if (!header || at + header->bytes() > intact_) return std::nullopt;
    return *header;
  }
  bool read_enough() const { return read_ > kHeadersMax; }

 private:
  const File& file_;
  const Extent& extent_;
  const std::uint64_t intact_;
  int read_ = 0;
};

// Where the first batch begins that ends at or beyond `from`.
std::optional<std::uint64_t> begin_of_run(const File& file, const Extent& extent, Offset from) {
  const auto& point = extent.point_before(from);
  std::uint64_t at = point.at;
  if (point.base_offset >= from) return at;
  HeaderWalk walk(file, extent);
  while (const auto header = walk.header_at(at)) {
    if (header->last_offset() >= from) return at;
    at += header->bytes();
  }
  return std::nullopt;
}

// Moves the run's end over the batches behind it that fit.
void extend(IntactRun& run, const File& file, const Extent& extent, std::uint64_t bytes_max,
            Offset limit) {
  HeaderWalk walk(file, extent);
  while (run.at + run.bytes < extent.bytes) {
    const auto header = walk.header_at(run.at + run.bytes);
    if (header && header->base_offset >= limit) return;
    run.is_cut = header ? run.bytes + header->bytes() > bytes_max
                        : walk.read_enough() && run.bytes >= bytes_max / 2;
    if (!header || run.is_cut) return;
    run.bytes += header->bytes();
    run.next = header->next_offset();
  }
}

}  // namespace

std::optional<IntactRun> intact_run(const File& file, const Extent& extent, Offset from,
                                    std::uint64_t bytes_max, Offset limit) {
  const auto at = begin_of_run(file, extent, from);
  if (!at) return std::nullopt;
  const auto end_max = std::min(extent.intact.bytes(), *at + bytes_max);
  const auto fits = [&](const IndexPoint& point) {
    return point.at <= end_max && point.base_offset <= limit;
  };
  IntactRun run{*at, 0, from, false};
  // The last point at which it may end.
  const auto behind = std::ranges::partition_point(extent.points, fits);
  if (behind != extent.points.begin() && (behind - 1)->at > *at) {
    run.bytes = (behind - 1)->at - *at;
    run.next = (behind - 1)->base_offset;
  }
  extend(run, file, extent, bytes_max, limit);
  if (run.bytes == 0) return std::nullopt;
  return run;
}

bool is_warm(const File& file, std::uint64_t at, std::uint64_t bytes) {
  for (std::uint64_t seen = 0; seen < bytes; seen += kSampleEvery) {
    char byte = 0;
    if (read_warm(file, {&byte, 1}, at + seen) != 1) return false;
  }
  return true;
}

}  // namespace weft::eventlog
