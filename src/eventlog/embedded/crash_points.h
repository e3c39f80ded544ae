// Named places where a test may kill the real process: WEFT_CRASH_AT=<name> makes the process send
// itself SIGKILL when it gets there. Unset, a crash point is one comparison.
#pragma once

#include <unistd.h>
#include <array>
#include <csignal>
#include <cstdlib>
#include <string_view>

namespace weft::eventlog {

enum class CrashPoint : int {
  BeforeWrite,
  AfterWriteBeforeSync,
  AfterSyncBeforeAck,
  AfterAck,
  AfterRoll,
  AfterSpareCreated,
  DuringPlacement,
  AfterSegmentSync,
  BeforeManifest,
  AfterManifest,
  AfterWalRecycled,
  DuringRecovery,
  AfterRecoveryHeader,
  DuringClose,
};

inline constexpr std::array<std::string_view, 14> kCrashPointNames = {
    "before-write",
    "after-write-before-sync",
    "after-sync-before-ack",
    "after-ack",
    "after-roll",
    "after-spare-created",
    "during-placement",
    "after-segment-sync",
    "before-manifest",
    "after-manifest",
    "after-wal-recycled",
    "during-recovery",
    "after-recovery-header",
    "during-close",
};

namespace detail {

inline int armed_crash_point() {
  const char* wanted = std::getenv("WEFT_CRASH_AT");
  for (std::size_t i = 0; wanted != nullptr && i < kCrashPointNames.size(); ++i) {
    if (kCrashPointNames[i] == wanted) return static_cast<int>(i);
  }
  return -1;
}

inline const int kArmedCrashPoint = armed_crash_point();

}  // namespace detail

inline void crash_point(CrashPoint point) {
  if (detail::kArmedCrashPoint == static_cast<int>(point)) [[unlikely]] {
    ::kill(::getpid(), SIGKILL);
  }
}

}  // namespace weft::eventlog
