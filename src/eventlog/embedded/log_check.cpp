#include "eventlog/embedded/log_check.h"

#include "eventlog/core/log_manifest.h"
#include "eventlog/core/record_batch.h"
#include "eventlog/embedded/log_context.h"
#include "eventlog/embedded/segment_footer.h"
#include "eventlog/embedded/wal_scan.h"

namespace weft::eventlog {

namespace {

constexpr std::uint64_t kCheckedExtentBytesMax = std::uint64_t{2} << 30;

// One folder's check.
class LogChecker {
 public:
  LogChecker(FileSystem& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

  Task<Result<LogCheck>> run() {
    CO_TRY(auto bytes, co_await read_file(files_, folder_ + "/MANIFEST", kManifestBytesMax));
    CO_TRY(auto manifest, decode_manifest(bytes));
    found_.streams = manifest.streams.size();
    for (auto segment : manifest.segments) {
      auto name = LogContext::segment_name(segment);
      auto checked = co_await check_segment(name, segment);
      if (!checked) note(name, checked.error().message);
      ++found_.segments;
    }
    CO_CHECK(co_await check_wal(manifest));
    co_return std::move(found_);
  }

 private:
  void note(std::string_view name, std::string_view what) {
    found_.damage.push_back(fmt::format("{}: {}", name, what));
  }

  Task<Result<>> check_segment(std::string name, std::uint64_t segment) {
    CO_TRY(auto file, co_await files_.open(folder_ + "/" + name, OpenMode::Read));
    CO_TRY(auto footer, co_await read_segment_footer(*file, segment));
    for (const auto& extent : footer.extents) {
      if (extent.bytes > kCheckedExtentBytesMax || extent.at > footer.at ||
          extent.bytes > footer.at - extent.at) {
        co_return fail(ErrorCode::DataLoss, "an extent lies outside of the file");
      }
      std::string bytes(extent.bytes, '\0');
      CO_CHECK(co_await file->read_at(bytes, extent.at));
      check_extent(name, extent, bytes);
    }
    co_return Result<>();
  }

  void check_extent(std::string_view name, const Extent& extent, std::string_view bytes) {
    while (!bytes.empty()) {
      auto header = read_batch_header(bytes);
      if (!header || header->bytes() > bytes.size()) {
        note(name, fmt::format("an unreadable batch, {} bytes before the end of its extent",
                               bytes.size()));
        return;
      }
      auto batch = bytes.substr(0, header->bytes());
      if (!verify_batch_checksum(batch)) {
        note(name,
             fmt::format("the batch at offset {} of stream {} partition {} has another checksum",
                         header->base_offset, static_cast<unsigned>(extent.partition.stream),
                         extent.partition.partition));
      }
      ++found_.batches;
      found_.records += static_cast<std::uint64_t>(header->record_count);
      bytes.remove_prefix(batch.size());
    }
  }

  // From the manifest's file on, while there are files. The last one may end anywhere; in the
  // others the entries reach up to where the next one begins.
  Task<Result<>> check_wal(const Manifest& manifest) {
    std::string before;
    WalPosition reached = 0;
    for (auto sequence = manifest.wal_sequence;; ++sequence) {
      auto name = LogContext::wal_name(sequence);
      auto file = co_await files_.open(folder_ + "/" + name, OpenMode::Read);
      if (!file && file.error().code == ErrorCode::NotFound) co_return Result<>();
      if (!file) co_return std::unexpected(std::move(file).error());
      auto header = co_await read_wal_header(**file);
      if (!header || header->sequence != sequence) co_return Result<>();  // prepared, never used
      if (!before.empty() && reached < header->previous_end) {
        note(before, fmt::format("damaged at position {}, its entries go to {}", reached,
                                 header->previous_end));
      }
      CO_TRY(auto scan, co_await scan_wal_file(files_, folder_ + "/" + name));
      reached = scan.end;
      found_.entries += scan.entries;
      before = name;
      ++found_.wal_files;
    }
  }

  FileSystem& files_;
  std::string folder_;
  LogCheck found_;
};

}  // namespace

Task<Result<LogCheck>> check_log_files(FileSystem& files, std::string folder) {
  LogChecker checker(files, std::move(folder));
  co_return co_await checker.run();
}

}  // namespace weft::eventlog
