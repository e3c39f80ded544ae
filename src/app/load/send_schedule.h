// When each record of an open loop is due: at fixed distances, whatever the broker does. A latency
// is counted from there, so that a broker which stands still for a second is charged for all that
// was due meanwhile, not for the one request that waited (coordinated omission). Pure.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/time.h"

namespace weft::app {

struct SendSchedule {
  MonoTime begin{};
  double per_second = 1;  // of all senders together, above 0
  int senders = 1;
  int sender = 0;  // from 0: their records alternate

  MonoTime due(std::uint64_t record) const {
    const auto number = static_cast<double>(record) * senders + sender;
    return begin + Duration(static_cast<std::int64_t>(std::round(number * 1e9 / per_second)));
  }
  // How many of this sender are due before `end`.
  std::uint64_t count_before(MonoTime end) const {
    if (end <= begin) return 0;
    const auto all = std::chrono::duration<double>(end - begin).count() * per_second;
    auto count = static_cast<std::uint64_t>(std::max(0.0, std::floor((all - sender) / senders)));
    while (due(count) < end) ++count;
    while (count > 0 && due(count - 1) >= end) --count;
    return count;
  }
};

}  // namespace weft::app
