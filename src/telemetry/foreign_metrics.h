// The latest values of metrics that others sent by OTLP, shown at /metrics beside Weft's own: names
// and labels as OpenTelemetry's rules for Prometheus make them, the sender's service as the label
// `service`. A series that is not sent for five minutes goes. Bounded. Any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/time.h"
#include "telemetry/core/otlp_decode.h"

namespace weft::telemetry {

inline constexpr std::size_t kForeignSeriesMax = 10'000;
inline constexpr Duration kForeignSeriesAge = 5min;

class ForeignMetrics {
 public:
  // Why the point is not kept; empty when it is.
  std::string_view store(ReceivedPoint point, WallTime now);
  // Families in the Prometheus text format, or in that of OpenMetrics without its end.
  std::string text(bool is_openmetrics, WallTime now);

 private:
  struct Series {
    ReceivedPoint point;
    WallTime at{};
  };
  struct ForeignFamily {
    ReceivedPoint::Type type{};
    std::string help;
    std::map<std::string, Series> series;  // by their labels as text
  };
  void forget_old(WallTime now);

  std::mutex mutex_;
  std::map<std::string, ForeignFamily> families_;  // by name, without _total
  std::size_t series_count_ = 0;
};

}  // namespace weft::telemetry
