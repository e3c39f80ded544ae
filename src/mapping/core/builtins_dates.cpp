// Builtins over dates. Times are in UTC, whatever the machine's zone is.
#include <time.h>

#include <array>
#include <cmath>
#include <cstring>

#include "mapping/core/builtins.h"
#include "mapping/core/machine.h"
#include "mapping/core/number.h"
#include "mapping/core/value_text.h"

namespace weft::mapping {
namespace {

using V = Value;
using M = Machine;

// The parts of jq's "broken down time": month from 0, seconds with a fraction.
V parts_of(const tm& time, double fraction) {
  V made = V::new_array(8);
  made.append(V::integer(time.tm_year + std::int64_t{1900}));
  made.append(V::integer(time.tm_mon));
  made.append(V::integer(time.tm_mday));
  made.append(V::integer(time.tm_hour));
  made.append(V::integer(time.tm_min));
  made.append(number_of(time.tm_sec + fraction));
  made.append(V::integer(time.tm_wday));
  made.append(V::integer(time.tm_yday));
  return made;
}

bool read_parts(const V& parts, tm& time) {
  if (!parts.is_array() || parts.size() < 6) return false;
  std::array<int*, 8> into = {&time.tm_year, &time.tm_mon, &time.tm_mday, &time.tm_hour,
                              &time.tm_min,  &time.tm_sec, &time.tm_wday, &time.tm_yday};
  for (std::uint32_t i = 0; i < std::min(8u, parts.size()); ++i) {
    const V part = parts.element(i);
    if (!part.is_number() || is_nan(part)) return false;
    *into[i] = static_cast<int>(std::clamp<std::int64_t>(whole_part(part), -1'000'000, 1'000'000));
  }
  time.tm_year -= 1900;
  return true;
}

V b_gmtime(M& m, V* a, const Node& at) {
  constexpr double kLargest = 6e16;  // where the year leaves an int
  if (!a[0].is_number()) return m.raise("gmtime() requires a number", at);
  const double seconds = double_of(a[0]);
  if (!(std::abs(seconds) < kLargest))
    return m.raise("error converting number of seconds since epoch to datetime", at);
  const auto whole = static_cast<time_t>(std::floor(seconds));
  tm time{};
  if (gmtime_r(&whole, &time) == nullptr)
    return m.raise("error converting number of seconds since epoch to datetime", at);
  V made = parts_of(time, 0);
  // The fraction is kept exactly where the seconds are exact.
  if (exact_of(a[0])) {
    bool inexact = false;
    const V rest = calculate(Arithmetic::Subtract, a[0], V::integer(whole), inexact);
    made.own_elements()[5] = calculate(Arithmetic::Add, V::integer(time.tm_sec), rest, inexact);
  } else {
    made.own_elements()[5] = number_of(time.tm_sec + (seconds - std::floor(seconds)));
  }
  return made;
}

// The place of %s, which the C library takes for local time.
std::size_t find_seconds(std::string_view format, std::size_t from = 0) {
  for (std::size_t i = from; i + 1 < format.size(); ++i) {
    if (format[i] != '%') continue;
    if (format[i + 1] == 's') return i;
    ++i;
  }
  return std::string_view::npos;
}
bool has_seconds_since_1970(std::string_view format) {
  return find_seconds(format) != std::string_view::npos;
}
void put_seconds(std::string& format, std::int64_t seconds) {
  const std::string digits = std::to_string(seconds);
  for (auto at = find_seconds(format); at != std::string::npos;
       at = find_seconds(format, at + digits.size()))
    format.replace(at, 2, digits);
}

V b_mktime(M& m, V* a, const Node& at) {
  if (!a[0].is_array()) return m.raise("mktime requires array of 6 numbers", at);
  tm time{};
  if (a[0].size() < 6) return m.raise("mktime requires array of 6 numbers", at);
  if (!read_parts(a[0], time)) return m.raise("mktime requires parsed datetime inputs", at);
  return V::integer(timegm(&time));
}

V b_strptime(M& m, V* a, const Node& at) {
  if (!a[0].is_string())
    return m.raise(fmt::format("strptime/1 requires string inputs and arguments, not {}",
                               kind_name(a[0].kind())),
                   at);
  if (!a[1].is_string()) return m.raise("strptime/1 requires a string format", at);
  const std::string text(a[0].text());
  const std::string format(a[1].text());
  if (has_seconds_since_1970(format))
    return m.raise("strptime/1: %s would be read in the machine's time zone: use tonumber", at);
  tm time{};
  time.tm_wday = 8;  // out of range: not set
  time.tm_yday = 367;
  const char* const end = strptime(text.c_str(), format.c_str(), &time);
  if (end == nullptr || *end != '\0')
    return m.raise(fmt::format("date \"{}\" does not match format \"{}\"", text, format), at);
  tm normal = time;
  normal.tm_isdst = 0;
  timegm(&normal);
  if (time.tm_wday == 8 && time.tm_mday >= 1 && time.tm_mday <= 31) time.tm_wday = normal.tm_wday;
  if (time.tm_yday == 367 && time.tm_mday >= 1 && time.tm_mday <= 31) time.tm_yday = normal.tm_yday;
  return parts_of(time, 0);
}

V formatted(M& m, V* a, std::string_view name, const Node& at) {
  V parts = a[0].is_number() ? b_gmtime(m, a, at) : a[0];
  if (m.stopped()) return {};
  tm time{};
  if (!parts.is_array() || !read_parts(parts, time))
    return m.raise(fmt::format("{}/1 requires parsed datetime inputs", name), at);
  if (!a[1].is_string()) return m.raise(fmt::format("{}/1 requires a string format", name), at);
  // Out of range parts would be read beyond the tables of names.
  if (time.tm_mon < 0 || time.tm_mon > 11 || time.tm_wday < 0 || time.tm_wday > 6) {
    tm normal = time;
    timegm(&normal);
    time = normal;
  }
  time.tm_zone = "UTC";
  std::string format(a[1].text());
  if (has_seconds_since_1970(format)) {
    tm normal = time;
    put_seconds(format, timegm(&normal));
  }
  format += '\x01';  // so that "" is no failure
  constexpr std::size_t kLongest = 64 * 1024;
  std::string out;
  for (std::size_t size = 256; size <= kLongest; size *= 4) {
    out.resize(size);
    const std::size_t written = strftime(out.data(), size, format.c_str(), &time);
    if (written == 0) continue;
    out.resize(written - 1);
    return V::new_text(out);
  }
  return m.raise(fmt::format("{}/1: the result is longer than {} bytes", name, kLongest), at);
}

V b_strftime(M& m, V* a, const Node& at) {
  return formatted(m, a, "strftime", at);
}

V b_strflocaltime(M& m, V* a, const Node& at) {
  return formatted(m, a, "strflocaltime", at);
}

constexpr NativeEntry kDateBuiltins[] = {
    {"gmtime", 0, b_gmtime},     {"localtime", 0, b_gmtime},  {"mktime", 0, b_mktime},
    {"strptime", 1, b_strptime}, {"strftime", 1, b_strftime}, {"strflocaltime", 1, b_strflocaltime},
};

}  // namespace

std::span<const NativeEntry> date_builtins() {
  return kDateBuiltins;
}

}  // namespace weft::mapping
