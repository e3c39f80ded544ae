// Head sampling that holds a rate: as more spans end than may be kept, the share of new traces that
// are sampled falls, so that a busy node's disk is not written to for traces alone, and a quiet
// node keeps them all. Pure; one thread.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace weft::telemetry {

class SamplingLimit {
 public:
  // `ratio`: what is sampled when there is little to do. `spans_per_second_max`: 0 is no limit.
  SamplingLimit(double ratio, double spans_per_second_max)
      : ratio_(ratio), rate_max_(spans_per_second_max) {}

  // The ratio from now on. `spans`: how many have ended since the start, kept or not. A burst is
  // answered at once, a lull within some ten seconds.
  double next(std::uint64_t spans, MonoTime now);

 private:
  const double ratio_;
  const double rate_max_;
  double rate_ = 0;
  std::uint64_t spans_ = 0;
  MonoTime at_{};
  bool has_begun_ = false;
};

}  // namespace weft::telemetry
