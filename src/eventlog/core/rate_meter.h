// A rate that may be exceeded for a moment and is paid back by waiting: the generic cell rate
// algorithm (ITU-T I.371, virtual scheduling). One number says until when what was taken so far
// keeps the rate busy. Lock-free; any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/time.h"

namespace weft::eventlog {

class RateMeter {
 public:
  // 0: no limit. Another rate forgets what was taken.
  void set_rate(std::uint64_t per_second) {
    if (rate_.exchange(per_second, std::memory_order_relaxed) == per_second) return;
    busy_until_.store(0, std::memory_order_relaxed);
  }
  std::uint64_t rate() const { return rate_.load(std::memory_order_relaxed); }

  // Takes `amount`, whatever it is, and says how long whoever took it waits before it takes more.
  // `burst` is how far ahead of the rate one may be without waiting, `wait_max` the longest wait:
  // more is not remembered.
  Duration take(std::uint64_t amount, MonoTime now, Duration burst, Duration wait_max) {
    const auto rate = this->rate();
    if (rate == 0) return {};
    constexpr double kNanosecondsPerSecond = 1e9;
    // Bounded, so that sums of it cannot overflow.
    constexpr double kCostMax = 1e15;
    const auto cost = static_cast<std::int64_t>(std::min(
        static_cast<double>(amount) * kNanosecondsPerSecond / static_cast<double>(rate), kCostMax));
    const auto at = nanoseconds(now);
    const auto limit =
        at + std::chrono::duration_cast<std::chrono::nanoseconds>(burst + wait_max).count();
    auto busy = busy_until_.load(std::memory_order_relaxed);
    std::int64_t after = 0;
    do {
      after = std::min(std::max(busy, at) + cost, std::max(busy, limit));
    } while (!busy_until_.compare_exchange_weak(busy, after, std::memory_order_relaxed));
    return wait_for(after, at, burst);
  }

  // How long one would wait now.
  Duration wait(MonoTime now, Duration burst) const {
    if (rate() == 0) return {};
    return wait_for(busy_until_.load(std::memory_order_relaxed), nanoseconds(now), burst);
  }
  bool is_idle(MonoTime now) const { return wait(now, Duration::zero()) == Duration::zero(); }

 private:
  static std::int64_t nanoseconds(MonoTime time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
  }
  static Duration wait_for(std::int64_t busy, std::int64_t at, Duration burst) {
    const std::chrono::nanoseconds ahead(busy - at);
    return std::max<Duration>(std::chrono::duration_cast<Duration>(ahead) - burst,
                              Duration::zero());
  }

  std::atomic<std::uint64_t> rate_{0};
  std::atomic<std::int64_t> busy_until_{0};
};

}  // namespace weft::eventlog
