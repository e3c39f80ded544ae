#include "telemetry/foreign_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace weft::telemetry {

namespace {

constexpr std::size_t kForeignNameMax = 200;
constexpr std::size_t kForeignLabelsMax = 30;
constexpr std::size_t kForeignLabelBytesMax = 1024;
constexpr std::size_t kForeignBucketsMax = 200;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_decimal(char c) {
  return c >= '0' && c <= '9';
}

// What Prometheus takes as a name; anything else becomes "_".
std::string plain_name(std::string_view name) {
  std::string out;
  for (char c : name.substr(0, kForeignNameMax)) out += is_letter(c) || is_decimal(c) ? c : '_';
  if (out.empty() || is_decimal(out.front())) out.insert(out.begin(), '_');
  return out;
}

std::string_view unit_word(std::string_view unit) {
  constexpr std::pair<std::string_view, std::string_view> kUnits[] = {
      {"s", "seconds"},      {"ms", "milliseconds"}, {"us", "microseconds"}, {"ns", "nanoseconds"},
      {"min", "minutes"},    {"h", "hours"},         {"d", "days"},          {"By", "bytes"},
      {"KiBy", "kibibytes"}, {"MiBy", "mebibytes"},  {"kBy", "kilobytes"},   {"MBy", "megabytes"},
      {"%", "percent"},      {"Cel", "celsius"}};
  for (const auto& [code, word] : kUnits) {
    if (code == unit) return word;
  }
  return {};
}

// http.server.duration in s: http_server_duration_seconds. Counters get _total where they are
// written.
std::string family_name(const ReceivedPoint& point) {
  constexpr std::string_view kTotal = "_total";
  auto name = plain_name(point.name);
  if (name.ends_with(kTotal)) name.resize(name.size() - kTotal.size());
  auto word = unit_word(point.unit);
  if (!word.empty() && !name.ends_with(word)) name.append("_").append(word);
  return name;
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text.substr(0, kForeignLabelBytesMax)) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '"')
      out += "\\\"";
    else if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  out += '"';
}

// Without what the two formats escape differently.
std::string help_text(std::string_view text) {
  std::string out;
  for (char c : text.substr(0, kForeignLabelBytesMax))
    out += c == '\\' || c == '"' || c == '\n' ? ' ' : c;
  return out;
}

std::string foreign_labels(const ReceivedPoint& point) {
  std::map<std::string, std::string> labels;
  if (!point.service.empty()) labels["service"] = point.service;
  for (const auto& [key, value] : point.attributes) {
    auto name = plain_name(key);
    if (name == "le") name = "_le";
    auto [at, is_new] = labels.emplace(name, value);
    if (!is_new && name != "service") at->second.append(";").append(value);
  }
  std::string out;
  for (const auto& [name, value] : labels) {
    if (!out.empty()) out += ',';
    out.append(name).append("=");
    append_quoted(out, value);
  }
  return out;
}

std::string number_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", number);
}

void append_line(std::string& out, std::string_view name, std::string_view suffix,
                 std::string_view labels, std::string_view value) {
  if (labels.empty())
    fmt::format_to(std::back_inserter(out), "{}{} {}\n", name, suffix, value);
  else
    fmt::format_to(std::back_inserter(out), "{}{}{{{}}} {}\n", name, suffix, labels, value);
}

void append_point(std::string& out, std::string_view name, const std::string& labels,
                  const ReceivedPoint& point, bool is_openmetrics) {
  if (point.type != ReceivedPoint::Type::Histogram) {
    append_line(out, name, point.type == ReceivedPoint::Type::Counter ? "_total" : "", labels,
                number_text(point.value));
    return;
  }
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < point.buckets.size(); ++i) {
    total += point.buckets[i];
    auto end = i < point.bounds.size() ? number_text(point.bounds[i]) : std::string("+Inf");
    if (is_openmetrics && end.find_first_of(".eIN") == std::string::npos) end += ".0";
    append_line(out, name, "_bucket",
                fmt::format("{}{}le=\"{}\"", labels, labels.empty() ? "" : ",", end),
                std::to_string(total));
  }
  append_line(out, name, "_sum", labels, number_text(point.value));
  append_line(out, name, "_count", labels, std::to_string(total));
}

}  // namespace

void ForeignMetrics::forget_old(WallTime now) {
  for (auto& [name, family] : families_) {
    series_count_ -= std::erase_if(family.series, [&](const auto& entry) {
      return now - entry.second.at > kForeignSeriesAge;
    });
  }
  std::erase_if(families_, [](const auto& entry) { return entry.second.series.empty(); });
}

std::string_view ForeignMetrics::store(ReceivedPoint point, WallTime now) {
  auto name = family_name(point);
  if (name.starts_with("weft_")) return "names that begin with weft are Weft's own";
  if (point.attributes.size() > kForeignLabelsMax) return "a data point has at most 30 attributes";
  if (point.buckets.size() > kForeignBucketsMax) return "a histogram has at most 200 buckets";
  if (!std::ranges::is_sorted(point.bounds)) return "the bounds of a histogram are not in order";
  auto labels = foreign_labels(point);
  std::lock_guard lock(mutex_);
  auto family = families_.find(name);
  if (family != families_.end() && family->second.type != point.type)
    return "a metric name has one type";
  if (family == families_.end() || !family->second.series.contains(labels)) {
    if (series_count_ >= kForeignSeriesMax) forget_old(now);
    if (series_count_ >= kForeignSeriesMax) return "too many series";
    family = families_.try_emplace(std::move(name)).first;
    family->second.type = point.type;
    ++series_count_;
  }
  family->second.help = point.help;
  family->second.series.insert_or_assign(std::move(labels), Series{std::move(point), now});
  return {};
}

std::string ForeignMetrics::text(bool is_openmetrics, WallTime now) {
  constexpr std::string_view kTypes[] = {"gauge", "counter", "histogram"};
  std::lock_guard lock(mutex_);
  forget_old(now);
  std::string out;
  for (const auto& [name, family] : families_) {
    const bool is_counter = family.type == ReceivedPoint::Type::Counter;
    auto shown = is_counter && !is_openmetrics ? name + "_total" : name;
    fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", shown,
                   help_text(family.help.empty() ? "Sent by OTLP." : family.help), shown,
                   kTypes[static_cast<std::size_t>(family.type)]);
    for (const auto& [labels, series] : family.series)
      append_point(out, name, labels, series.point, is_openmetrics);
  }
  return out;
}

}  // namespace weft::telemetry
