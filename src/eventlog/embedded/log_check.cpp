#include "eventlog/embedded/log_check.h"

#include "eventlog/core/log_manifest.h"
#include "eventlog/embedded/log_context.h"
#include "eventlog/embedded/segment_check.h"
#include "eventlog/embedded/wal_scan.h"

namespace weft::eventlog {

namespace {

// One folder's check.
class LogChecker {
 public:
  LogChecker(FileSystem& files, std::string folder)
      : files_(files), folder_(std::move(folder)), pacer_(clock_, 0) {}

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
    CO_TRY(auto checked,
           co_await check_segment_file(files_, folder_ + "/" + name, segment, pacer_));
    for (const auto& what : checked.damage) note(name, what);
    found_.batches += checked.batches;
    found_.records += checked.records;
    co_return Result<>();
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
  SystemClock clock_;
  Pacer pacer_;  // as fast as it goes
  LogCheck found_;
};

}  // namespace

Task<Result<LogCheck>> check_log_files(FileSystem& files, std::string folder) {
  LogChecker checker(files, std::move(folder));
  co_return co_await checker.run();
}

}  // namespace weft::eventlog
