// Latencies by the hundred million in 16 KB, with percentiles that are true to 2 %: linear steps
// within each power of two (the idea of HdrHistogram). Values; one thread.
#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"

namespace weft::app {

class LatencyHistogram {
 public:
  // Below zero counts as zero; the greatest is kept as it is.
  void add(Duration latency, std::uint64_t times = 1);
  void add(const LatencyHistogram& other);

  std::uint64_t count() const { return count_; }
  // The latency that `percent` of all do not exceed, at most 2 % above the true one; zero when
  // there is none.
  Duration percentile(double percent) const;
  Duration greatest() const { return greatest_; }

 private:
  static constexpr int kStepBits = 7;           // from 128 units on, 64 steps per power of two
  static constexpr int kLeastBits = 10;         // a unit is 1.024 µs: finer is noise
  static constexpr std::size_t kSlots = 2'048;  // up to 38 hours
  static std::size_t slot_of(std::uint64_t units);
  static std::uint64_t upper_bound_of(std::size_t slot);

  std::array<std::uint64_t, kSlots> slots_{};
  std::uint64_t count_ = 0;
  Duration greatest_{};
};

}  // namespace weft::app
