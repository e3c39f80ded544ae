// The gateway's access log: one JSON object per line and request, in a file. Off unless
// `gateway.accessLog` names one. docs/gateway.md lists the members of a line.
//
// record() may be called from any loop: it copies the line into a buffer under a short lock. Once
// kAccessLogWriteBytes have gathered, and every kAccessLogInterval, a thread of its own opens the
// file, appends them and closes it, so the file may be renamed at any time (rotation). What a file
// that cannot be written leaves behind is bounded by kAccessLogBytesMax; the rest is dropped and
// counted. Not synced.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "runtime/clock.h"
#include "runtime/disk.h"
#include "runtime/loops.h"
#include "runtime/metrics.h"

namespace weft::gateway {

inline constexpr std::size_t kAccessLogWriteBytes = 64 * 1024;
inline constexpr Duration kAccessLogInterval = std::chrono::milliseconds(200);
inline constexpr std::size_t kAccessLogBytesMax = 8 * 1024 * 1024;

// What a line says; empty texts are left out. The query is not logged: it may hold secrets.
struct AccessEntry {
  WallTime time{};
  std::string_view client;
  std::string_view method;
  std::string_view host;
  std::string_view path;
  std::string_view route;  // its template; empty: none takes the request
  int status = 0;
  Duration duration{};
  std::string_view upstream;  // whom it was forwarded to; empty: nobody
  Duration upstream_time{};
  std::string_view error;
  std::string_view principal;
  std::string_view trace_id;
};

std::string access_line(const AccessEntry& entry);

class AccessLog {
 public:
  // The file system must outlive the log. Fails when the file cannot be made.
  static Result<std::unique_ptr<AccessLog>> open(FileSystem& files, std::string path,
                                                 Metrics& metrics);
  AccessLog(FileSystem& files, std::string path, Metrics& metrics);

  // Writes what is left.
  ~AccessLog();

  void record(const AccessEntry& entry);
  // Has the lines written that have gathered, every kAccessLogInterval, until it is cancelled.
  Task<void> run(Clock& clock);

 private:
  void write_soon();
  Result<> write(std::string_view lines);
  Task<Result<>> append(std::string_view lines);
  void write_gathered();

  FileSystem& files_;
  std::string path_;
  Counter& dropped_;
  std::mutex mutex_;
  std::string gathered_;       // guarded by mutex_
  bool is_write_due_ = false;  // guarded by mutex_
  std::string writing_;        // the pool's thread
  bool was_failing_ = false;   // the pool's thread
  IoContext loop_;             // the pool's thread
  BlockingPool pool_;          // last: its end writes what was gathered
};

}  // namespace weft::gateway
