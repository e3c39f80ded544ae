#include "app/load/rate_search.h"

#include <algorithm>
#include <cmath>

namespace weft::app {

constexpr double kGiveUpBelow = 1.0 / 256;  // of the first rate

RateSearch::RateSearch(double first, double closeness, double most)
    : rate_(std::min(first, most)),
      closeness_(closeness),
      most_(most),
      least_(rate_ * kGiveUpBelow) {}

std::optional<double> RateSearch::next() const {
  if (over_) return std::nullopt;
  return rate_;
}

void RateSearch::judge(bool kept) {
  if (!kept && !again_) {
    again_ = true;
    return;
  }
  again_ = false;
  (kept ? kept_ : failed_) = rate_;
  if (!failed_) {
    over_ = rate_ >= most_;
    rate_ = std::min(rate_ * 2, most_);
  } else if (!kept_) {
    rate_ /= 2;
    over_ = rate_ < least_;
  } else {
    over_ = *failed_ / *kept_ <= 1 + closeness_;
    rate_ = std::sqrt(*failed_ * *kept_);
  }
}

double advised_rate(double kept, double headroom_percent) {
  return std::floor(kept * (1 - headroom_percent / 100));
}

std::int64_t brokers_for(double needed, double advised) {
  return static_cast<std::int64_t>(std::ceil(needed / advised));
}

}  // namespace weft::app
