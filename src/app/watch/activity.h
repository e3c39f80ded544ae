// What the overview draws: the node's counters, sampled every five seconds for the last fifteen
// minutes. Thread-safe; sample() is called by one task.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "base/time.h"

namespace weft::app {

// Counters since the start of the node.
struct ActivityCounts {
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;  // answers of 500 and above
  std::uint64_t records = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t failures = 0;
};

struct ActivityPoint {
  WallTime start{};
  ActivityCounts counts;  // within the step
};

struct ActivityRates {
  double requests = 0;  // per second, over the last minute
  double records = 0;
  double deliveries = 0;
  double error_share = 0;      // of requests, over the last fifteen minutes
  std::uint64_t failures = 0;  // over the last fifteen minutes
};

class Activity {
 public:
  static constexpr Duration kStep = std::chrono::seconds(5);
  static constexpr std::size_t kPointsMax = 180;

  void sample(WallTime now, const ActivityCounts& totals);
  std::vector<ActivityPoint> series() const;  // oldest first
  ActivityRates rates() const;

 private:
  mutable std::mutex mutex_;
  std::vector<ActivityPoint> points_;
  ActivityCounts last_;
  WallTime last_time_{};
};

}  // namespace weft::app
