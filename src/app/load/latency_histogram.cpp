#include "app/load/latency_histogram.h"

#include <bit>
#include <cmath>

namespace weft::app {

// Slots 0 to 127 are one unit wide; from there on each power of two has 64 that are used twice as
// wide as those before, as the upper half of 128.
std::size_t LatencyHistogram::slot_of(std::uint64_t units) {
  constexpr std::uint64_t kSteps = 1 << kStepBits;
  if (units < kSteps) return units;
  const auto shift = static_cast<int>(std::bit_width(units)) - kStepBits;
  const auto slot = (static_cast<std::size_t>(shift) << (kStepBits - 1)) + (units >> shift);
  return std::min(slot, kSlots - 1);
}

std::uint64_t LatencyHistogram::upper_bound_of(std::size_t slot) {
  constexpr std::size_t kSteps = 1 << kStepBits;
  if (slot < kSteps) return slot + 1;
  const auto shift = (slot >> (kStepBits - 1)) - 1;
  const auto step = slot - (shift << (kStepBits - 1));
  return (std::uint64_t{step} + 1) << shift;
}

void LatencyHistogram::add(Duration latency, std::uint64_t times) {
  const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
  slots_[slot_of(ns >> kLeastBits)] += times;
  count_ += times;
  greatest_ = std::max(greatest_, latency);
}

void LatencyHistogram::add(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < kSlots; ++i) slots_[i] += other.slots_[i];
  count_ += other.count_;
  greatest_ = std::max(greatest_, other.greatest_);
}

Duration LatencyHistogram::percentile(double percent) const {
  if (count_ == 0) return {};
  const auto wanted = static_cast<std::uint64_t>(
      std::max(1.0, std::ceil(static_cast<double>(count_) * percent / 100.0)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kSlots; ++i) {
    seen += slots_[i];
    if (seen < wanted) continue;
    const Duration bound(static_cast<std::int64_t>(upper_bound_of(i) << kLeastBits));
    return std::min(bound, greatest_);
  }
  return greatest_;
}

}  // namespace weft::app
