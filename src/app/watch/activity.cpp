#include "app/watch/activity.h"

#include <algorithm>

namespace weft::app {
namespace {

constexpr std::size_t kRatePoints = 12;  // one minute

// A total shrinks when what it counted is gone, as with a subscription that was deleted.
std::uint64_t growth(std::uint64_t from, std::uint64_t to) {
  return to > from ? to - from : 0;
}

ActivityCounts growth(const ActivityCounts& from, const ActivityCounts& to) {
  return {growth(from.requests, to.requests), growth(from.errors, to.errors),
          growth(from.records, to.records), growth(from.deliveries, to.deliveries),
          growth(from.failures, to.failures)};
}

}  // namespace

void Activity::sample(WallTime now, const ActivityCounts& totals) {
  std::lock_guard lock(mutex_);
  if (last_time_ != WallTime{}) {
    if (points_.size() == kPointsMax) points_.erase(points_.begin());
    points_.push_back({last_time_, growth(last_, totals)});
  }
  last_ = totals;
  last_time_ = now;
}

std::vector<ActivityPoint> Activity::series() const {
  std::lock_guard lock(mutex_);
  return points_;
}

ActivityRates Activity::rates() const {
  std::lock_guard lock(mutex_);
  ActivityRates rates;
  ActivityCounts recent;
  auto first_recent = points_.size() - std::min(points_.size(), kRatePoints);
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    const auto& counts = points_[i].counts;
    requests += counts.requests;
    errors += counts.errors;
    rates.failures += counts.failures;
    if (i < first_recent) continue;
    recent.requests += counts.requests;
    recent.records += counts.records;
    recent.deliveries += counts.deliveries;
  }
  auto seconds = std::chrono::duration<double>(kStep).count() *
                 static_cast<double>(points_.size() - first_recent);
  if (seconds > 0) {
    rates.requests = static_cast<double>(recent.requests) / seconds;
    rates.records = static_cast<double>(recent.records) / seconds;
    rates.deliveries = static_cast<double>(recent.deliveries) / seconds;
  }
  if (requests > 0) rates.error_share = static_cast<double>(errors) / static_cast<double>(requests);
  return rates;
}

}  // namespace weft::app
