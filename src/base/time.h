// Points in time. WallTime is what calendars show and what is stored; MonoTime is for deadlines and
// durations inside one process. Both come from runtime::Clock, never from the system directly.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft {

using namespace std::chrono_literals;

using Duration = std::chrono::nanoseconds;
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;
using MonoTime = std::chrono::steady_clock::time_point;

inline std::int64_t to_unix_ms(WallTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}
inline WallTime from_unix_ms(std::int64_t milliseconds) {
  return WallTime(std::chrono::milliseconds(milliseconds));
}

// RFC 3339 in UTC with milliseconds: 2026-03-01T12:00:00.123Z.
std::string to_rfc3339(WallTime time);
// RFC 3339 with any offset and fraction.
Result<WallTime> parse_rfc3339(std::string_view text);

// The HTTP date form (RFC 9110 section 5.6.7, IMF-fixdate): Sun, 06 Nov 1994 08:49:37 GMT.
std::string to_http_date(WallTime time);
Result<WallTime> parse_http_date(std::string_view text);

// A duration as people write it in documents: "250ms", "30s", "5m", "12h", "7d", or a chain such as
// "1h30m". No sign, no fraction; at most 292 years.
Result<Duration> parse_duration(std::string_view text);
std::string to_text(Duration duration);

}  // namespace weft
