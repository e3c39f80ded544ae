#include "eventlog/embedded/segment_check.h"

#include <algorithm>

#include "eventlog/core/record_batch.h"
#include "eventlog/embedded/segment_footer.h"

namespace weft::eventlog {
namespace {

constexpr std::uint64_t kReadAtOnceBytes = 1024 * 1024;
constexpr std::size_t kDamageMax = 100;

class ExtentCheck {
 public:
  ExtentCheck(const Extent& extent, SegmentCheck& found) : extent_(extent), found_(found) {}

  // Takes whole batches off the front; gives how many bytes are missing for the next one, 0 after
  // damage that nothing can be read behind.
  std::size_t take(std::string& bytes, bool is_last) {
    std::string_view left = bytes;
    std::size_t missing = 1;
    while (!left.empty()) {
      const auto header = read_batch_header(left);
      const bool is_cut = !header && left.size() < kBatchHeaderBytes;
      if (header && header->bytes() > left.size()) missing = header->bytes() - left.size();
      if (is_cut || (header && header->bytes() > left.size())) {
        if (!is_last) break;
        note(
            fmt::format("an unreadable batch, {} bytes before the end of its extent", left.size()));
        return 0;
      }
      if (!header) {
        note("an unreadable batch");
        return 0;
      }
      check(*header, left.substr(0, header->bytes()));
      left.remove_prefix(header->bytes());
    }
    bytes.erase(0, bytes.size() - left.size());
    return missing;
  }
  bool is_intact() const { return is_intact_; }

 private:
  void note(std::string_view what) {
    is_intact_ = false;
    if (found_.damage.size() >= kDamageMax) return;
    found_.damage.push_back(fmt::format("{} (stream {}, partition {})", what,
                                        static_cast<unsigned>(extent_.partition.stream),
                                        extent_.partition.partition));
  }
  void check(const BatchHeader& header, std::string_view batch) {
    if (!verify_batch_checksum(batch)) {
      note(fmt::format("the batch at offset {} has another checksum", header.base_offset));
    }
    ++found_.batches;
    found_.records += static_cast<std::uint64_t>(header.record_count);
  }

  const Extent& extent_;
  SegmentCheck& found_;
  bool is_intact_ = true;
};

Task<Result<>> check_extent(File& file, const Extent& extent, Pacer& pacer, SegmentCheck& found) {
  ExtentCheck check(extent, found);
  std::string bytes;
  std::uint64_t read = 0;
  std::size_t wanted = kReadAtOnceBytes;
  while (read < extent.bytes) {
    const auto size = std::min<std::uint64_t>(std::max<std::uint64_t>(wanted, kReadAtOnceBytes),
                                              extent.bytes - read);
    CO_CHECK(co_await pacer.spend(size));
    const auto have = bytes.size();
    bytes.resize(have + size);
    const std::span<char> window(bytes.data() + have, size);
    CO_CHECK(co_await file.read_at(window, extent.at + read));
    read += size;
    found.bytes += size;
    wanted = check.take(bytes, read == extent.bytes);
    if (wanted == 0) break;
  }
  found.extents.push_back({extent.partition, extent.at, check.is_intact()});
  co_return Result<>();
}

}  // namespace

Task<Result<>> Pacer::spend(std::size_t bytes) {
  if (bytes_per_second_ == 0) co_return Result<>();
  const auto now = clock_.mono();
  next_ = std::max(next_, now) +
          std::chrono::nanoseconds(static_cast<std::int64_t>(
              static_cast<double>(bytes) * 1e9 / static_cast<double>(bytes_per_second_)));
  co_return co_await clock_.sleep_until(next_);
}

Task<Result<SegmentCheck>> check_segment_file(FileSystem& files, std::string path,
                                              std::uint64_t segment, Pacer& pacer) {
  SegmentCheck found;
  CO_TRY(auto file, co_await files.open(path, OpenMode::Read));
  CO_TRY(const auto footer, co_await read_segment_footer(*file, segment));
  for (const auto& extent : footer.extents) {
    if (extent.at > footer.at || extent.bytes > footer.at - extent.at) {
      co_return fail(ErrorCode::DataLoss, "an extent lies outside of the file");
    }
    CO_CHECK(co_await check_extent(*file, extent, pacer, found));
  }
  co_return found;
}

}  // namespace weft::eventlog
