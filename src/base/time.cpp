#include "base/time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace weft {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::array<std::string_view, 7> kWeekdays = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Reads a text from the left; once something does not fit, ok stays false.
struct Scanner {
  std::string_view rest;
  bool ok = true;

  int number(std::size_t digits) {
    if (!ok || rest.size() < digits) return failed();
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (rest[i] < '0' || rest[i] > '9') return failed();
      value = value * 10 + (rest[i] - '0');
    }
    rest.remove_prefix(digits);
    return value;
  }
  void literal(std::string_view text) {
    if (!ok || !rest.starts_with(text)) {
      failed();
      return;
    }
    rest.remove_prefix(text.size());
  }
  template <std::size_t N>
  unsigned one_of(const std::array<std::string_view, N>& words) {
    for (unsigned i = 0; i < N; ++i) {
      if (!rest.starts_with(words[i])) continue;
      rest.remove_prefix(words[i].size());
      return i;
    }
    failed();
    return 0;
  }
  bool next_is(char lower, char upper) {
    if (rest.empty() || (rest[0] != lower && rest[0] != upper)) return false;
    rest.remove_prefix(1);
    return true;
  }
  int failed() {
    ok = false;
    return 0;
  }
};

// A day and time of day as a point in time, when the fields exist on the calendar and fit.
struct CivilTime {
  int year = 0;
  unsigned month = 0, day = 0;
  int hour = 0, minute = 0, second = 0;
  std::int64_t nanosecond = 0;
  int offset_minutes = 0;
};

Result<WallTime> to_wall_time(const CivilTime& c) {
  const year_month_day date{std::chrono::year(c.year), std::chrono::month(c.month),
                            std::chrono::day(c.day)};
  // A leap second is the first moment of the next minute, as in POSIX time.
  if (!date.ok() || c.hour > 23 || c.minute > 59 || c.second > 60)
    return fail(ErrorCode::InvalidArgument, "no such day or time of day");
  if (c.year < 1678 || c.year > 2261)
    return fail(ErrorCode::InvalidArgument, "the year is outside 1678 to 2261");
  return WallTime(sys_days(date)) + std::chrono::hours(c.hour) +
         std::chrono::minutes(c.minute - c.offset_minutes) + std::chrono::seconds(c.second) +
         std::chrono::nanoseconds(c.nanosecond);
}

std::int64_t scan_fraction(Scanner& scan) {
  std::int64_t value = 0;
  std::int64_t weight = 100'000'000;
  std::size_t digits = 0;
  while (digits < scan.rest.size() && scan.rest[digits] >= '0' && scan.rest[digits] <= '9') {
    value += weight * (scan.rest[digits] - '0');
    weight /= 10;
    ++digits;
  }
  if (digits == 0) scan.failed();
  scan.rest.remove_prefix(digits);
  return value;
}

int scan_zone(Scanner& scan) {
  if (scan.next_is('z', 'Z')) return 0;
  const bool west = scan.next_is('-', '-');
  if (!west) scan.literal("+");
  const int hours = scan.number(2);
  scan.literal(":");
  const int minutes = scan.number(2);
  if (hours > 23 || minutes > 59) scan.failed();
  return (hours * 60 + minutes) * (west ? -1 : 1);
}

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
constexpr std::array<Unit, 7> kUnits = {{{"d", 86'400'000'000'000},
                                         {"h", 3'600'000'000'000},
                                         {"m", 60'000'000'000},
                                         {"s", 1'000'000'000},
                                         {"ms", 1'000'000},
                                         {"us", 1'000},
                                         {"ns", 1}}};

void put_digits(char* at, unsigned value, int digits) {
  for (int i = digits - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

}  // namespace

std::string to_rfc3339(WallTime time) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto day = std::chrono::floor<days>(ms);
  const year_month_day date(day);
  const auto of_day = static_cast<unsigned>((ms - day).count());
  std::string out = "0000-00-00T00:00:00.000Z";
  put_digits(out.data(), static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put_digits(out.data() + 5, static_cast<unsigned>(date.month()), 2);
  put_digits(out.data() + 8, static_cast<unsigned>(date.day()), 2);
  put_digits(out.data() + 11, of_day / 3'600'000, 2);
  put_digits(out.data() + 14, of_day / 60'000 % 60, 2);
  put_digits(out.data() + 17, of_day / 1'000 % 60, 2);
  put_digits(out.data() + 20, of_day % 1'000, 3);
  return out;
}

Result<WallTime> parse_rfc3339(std::string_view text) {
  Scanner scan{text};
  CivilTime c;
  c.year = scan.number(4);
  scan.literal("-");
  c.month = static_cast<unsigned>(scan.number(2));
  scan.literal("-");
  c.day = static_cast<unsigned>(scan.number(2));
  if (!scan.next_is('t', 'T') && !scan.next_is(' ', ' ')) scan.failed();
  c.hour = scan.number(2);
  scan.literal(":");
  c.minute = scan.number(2);
  scan.literal(":");
  c.second = scan.number(2);
  if (scan.ok && scan.next_is('.', '.')) c.nanosecond = scan_fraction(scan);
  c.offset_minutes = scan_zone(scan);
  if (!scan.ok || !scan.rest.empty())
    return fail(ErrorCode::InvalidArgument,
                "not an RFC 3339 time: expected the form 2026-03-01T12:00:00Z");
  return to_wall_time(c);
}

std::string to_http_date(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto day = std::chrono::floor<days>(seconds);
  const year_month_day date(day);
  const auto of_day = (seconds - day).count();
  return fmt::format(
      "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kWeekdays[std::chrono::weekday(day).c_encoding()],
      static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
      static_cast<int>(date.year()), of_day / 3600, of_day / 60 % 60, of_day % 60);
}

Result<WallTime> parse_http_date(std::string_view text) {
  Scanner scan{text};
  CivilTime c;
  scan.one_of(kWeekdays);
  scan.literal(", ");
  c.day = static_cast<unsigned>(scan.number(2));
  scan.literal(" ");
  c.month = scan.one_of(kMonths) + 1;
  scan.literal(" ");
  c.year = scan.number(4);
  scan.literal(" ");
  c.hour = scan.number(2);
  scan.literal(":");
  c.minute = scan.number(2);
  scan.literal(":");
  c.second = scan.number(2);
  scan.literal(" GMT");
  if (!scan.ok || !scan.rest.empty())
    return fail(ErrorCode::InvalidArgument,
                "not an HTTP date: expected the form Sun, 06 Nov 1994 08:49:37 GMT");
  return to_wall_time(c);
}

Result<Duration> parse_duration(std::string_view text) {
  const auto refused = [&] {
    return fail(ErrorCode::InvalidArgument,
                "not a duration: expected the form 250ms, 30s, 5m, 12h, 7d or 1h30m");
  };
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  std::string_view rest = text;
  if (rest.empty()) return refused();
  while (!rest.empty()) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
    if (error != std::errc{} || rest[0] == '-') return refused();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const std::size_t letters = std::min(rest.find_first_of("0123456789"), rest.size());
    const auto unit =
        std::find_if(kUnits.begin() + static_cast<std::ptrdiff_t>(next_unit), kUnits.end(),
                     [&](const Unit& u) { return u.name == rest.substr(0, letters); });
    if (unit == kUnits.end()) return refused();
    rest.remove_prefix(letters);
    next_unit = static_cast<std::size_t>(unit - kUnits.begin()) + 1;
    std::int64_t part = 0;
    if (__builtin_mul_overflow(count, unit->nanoseconds, &part) ||
        __builtin_add_overflow(total, part, &total))
      return fail(ErrorCode::InvalidArgument, "the duration is longer than 292 years");
  }
  return Duration(total);
}

std::string to_text(Duration duration) {
  if (duration == Duration::zero()) return "0s";
  std::string out;
  auto left = static_cast<std::uint64_t>(duration.count());
  if (duration < Duration::zero()) {
    out += '-';
    left = 0 - left;
  }
  for (const Unit& unit : kUnits) {
    const auto size = static_cast<std::uint64_t>(unit.nanoseconds);
    if (left < size) continue;
    out += fmt::format("{}{}", left / size, unit.name);
    left %= size;
  }
  return out;
}

}  // namespace weft
