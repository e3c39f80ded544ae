#include "telemetry/sampling_limit.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace weft::telemetry {

double SamplingLimit::next(std::uint64_t spans, MonoTime now) {
  constexpr double kMemorySeconds = 10;
  const double seconds = std::chrono::duration<double>(now - std::exchange(at_, now)).count();
  const auto ended = static_cast<double>(spans - std::exchange(spans_, spans));
  if (std::exchange(has_begun_, true) && seconds > 0) {
    const double rate = ended / seconds;
    const double weight = 1 - std::exp(-seconds / kMemorySeconds);
    rate_ = std::max(rate, rate_ + weight * (rate - rate_));
  }
  if (rate_max_ <= 0 || rate_ <= 0) return ratio_;
  return std::min(ratio_, rate_max_ / rate_);
}

}  // namespace weft::telemetry
