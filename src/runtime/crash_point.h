// A named place where a test kills the real process: with WEFT_CRASH_AT=<name>, or <name>:<n>, the
// process sends itself SIGKILL at its first, or n-th, arrival there. Without the variable an
// arrival is one comparison, and nothing in the files or on the network can arm a point.
//
//   namespace { CrashPoint before_sync("log.before-sync"); }   // beside the code that it is about
//   … before_sync.reached();
//
// Objects of namespace scope, so that all() knows them when main() begins. reached(): any thread.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

class CrashPoint {
 public:
  explicit CrashPoint(const char* name);
  CrashPoint(const CrashPoint&) = delete;
  CrashPoint& operator=(const CrashPoint&) = delete;

  void reached() {
    if (is_armed_) [[unlikely]]
      count_down();
  }

  // The names of all points that this program was linked with, sorted.
  static std::vector<std::string_view> all();
  // What WEFT_CRASH_AT says; absent when it is unset.
  static std::optional<std::string> wanted();
  // The point that WEFT_CRASH_AT names exists; true also when it is unset.
  static bool is_wanted_known();

 private:
  void count_down();

  const char* name_;
  CrashPoint* next_;
  bool is_armed_ = false;
  std::atomic<long> arrivals_left_{1};
};

}  // namespace weft
