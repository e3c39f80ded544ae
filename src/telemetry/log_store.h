// The process's log lines on disk, in rotated files of JSON lines, and the search over them.
//
//   LogStore logs(files, options);
//   CHECK(logs.open());
//   set_log_sink(&logs);
//   …  every 200 ms on a thread that may block: logs.write_gathered(now)
//
// take() copies a line under a short lock. What a disk that cannot be written leaves behind is
// bounded by gathered_bytes_max; the rest is dropped and counted. Not synced. Everything else
// blocks its thread; any thread, one at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "runtime/disk.h"
#include "runtime/log.h"

namespace weft::telemetry {

struct LogStoreOptions {
  std::string folder;
  std::uint64_t bytes_max = 64 * 1024 * 1024;
  Duration age_max = 7 * 24h;  // of a file's last line; zero: any
  std::size_t gathered_bytes_max = 4 * 1024 * 1024;
};

// Where a line is: a file's number and the offset of its first byte.
struct LogPosition {
  std::uint64_t file = 0;
  std::uint64_t offset = 0;
  auto operator<=>(const LogPosition&) const = default;
};

// All conditions hold for one line.
struct LogQuery {
  std::optional<WallTime> since{};
  std::optional<WallTime> until{};
  LogLevel level = LogLevel::Debug;  // and above
  std::string module{};
  std::string trace_id{};
  std::string text{};  // found anywhere in the line; case of ASCII letters does not matter
  // Lines of this business key, or of one of these traces.
  std::string business_key{};
  std::set<std::string, std::less<>> key_traces{};
  std::optional<LogPosition> before{};  // the next page of lines, newest first
  std::optional<LogPosition> after{};   // lines behind it, oldest first: to follow the log
  std::size_t limit = 100;
};

struct LogLine {
  LogPosition position;
  std::string json;  // without the line end
};

struct LogPage {
  std::vector<LogLine> lines;
  bool has_more = false;
  LogPosition end;  // where the log ended: for `after`
};

class LogStore final : public LogSink {
 public:
  LogStore(FileSystem& files, LogStoreOptions options);

  Result<> open();
  void take(LogLevel level, std::string_view line) override;
  // Writes what was taken, and removes what is too old or too much.
  Result<> write_gathered(WallTime now);
  // Newest first, or oldest first with `after`. Writes what was taken before.
  Result<LogPage> search(const LogQuery& query, WallTime now);
  std::uint64_t dropped_lines() const;
  std::uint64_t bytes() const;

 private:
  struct LogFile {
    std::string path;
    std::uint64_t number = 0;
    std::unique_ptr<File> file;
    std::uint64_t bytes = 0;
    WallTime last{};
  };
  Result<> load(const std::string& name, std::uint64_t number);
  Result<> write_locked(WallTime now);
  Result<> append(std::string_view lines);
  Result<> roll();
  Result<> trim(WallTime now);
  std::uint64_t bytes_locked() const;

  FileSystem& files_;
  const LogStoreOptions options_;
  const std::uint64_t file_bytes_;
  mutable std::mutex gather_mutex_;
  std::string gathered_;             // guarded by gather_mutex_
  std::uint64_t dropped_lines_ = 0;  // guarded by gather_mutex_
  mutable std::mutex mutex_;         // of the files; held while they are read or written
  std::deque<LogFile> log_files_;    // oldest first; the last is written to
  bool is_writable_ = false;
};

}  // namespace weft::telemetry
