#include "runtime/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"

namespace weft {

namespace {

using namespace std::chrono_literals;

// Bucket ends; a value that equals an end belongs to that bucket, as Prometheus defines "le".
constexpr std::array<std::chrono::nanoseconds, 19> kEnds = {
    50us,  100us, 250us, 500us, 1ms,    2500us, 5ms, 10ms, 25ms, 50ms,
    100ms, 250ms, 500ms, 1s,    2500ms, 5s,     10s, 30s,  60s};
constexpr std::array<double, 19> kEndsInSeconds = {
    50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3,
    0.1,   0.25,   0.5,    1.0,    2.5,  5.0,    10.0, 30.0,  60.0};
constexpr double kNanosecondsPerSecond = 1e9;

std::size_t shard_of_this_thread() {
  static std::atomic<std::size_t> threads{0};
  thread_local std::size_t shard = kMetricShards;
  if (shard == kMetricShards) {
    shard = threads.fetch_add(1, std::memory_order_relaxed) % kMetricShards;
  }
  return shard;
}

void append_escaped(std::string& out, std::string_view text, bool in_quotes) {
  for (char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else if (c == '"' && in_quotes)
      out += "\\\"";
    else
      out += c;
  }
}

// name="value",…
std::string label_text(const Labels& labels) {
  std::string out;
  for (const auto& [label, value] : labels) {
    if (!out.empty()) out += ',';
    out += label;
    out += "=\"";
    append_escaped(out, value, true);
    out += '"';
  }
  return out;
}

enum class Exposition : std::uint8_t { PrometheusText, OpenMetrics };

void append_sample(std::string& out, std::string_view name, std::string_view labels, auto value) {
  if (labels.empty())
    fmt::format_to(std::back_inserter(out), "{} {}\n", name, value);
  else
    fmt::format_to(std::back_inserter(out), "{}{{{}}} {}\n", name, labels, value);
}

// What a family of counters is called: OpenMetrics adds _total to the samples alone.
std::string_view without_total(std::string_view name) {
  constexpr std::string_view kTotal = "_total";
  return name.ends_with(kTotal) ? name.substr(0, name.size() - kTotal.size()) : name;
}

void append_samples(std::string& out, std::string_view name, std::string_view labels,
                    const Counter& counter, Exposition form) {
  if (form == Exposition::OpenMetrics)
    append_sample(out, fmt::format("{}_total", without_total(name)), labels, counter.value());
  else
    append_sample(out, name, labels, counter.value());
}

void append_samples(std::string& out, std::string_view name, std::string_view labels,
                    const Gauge& gauge, Exposition) {
  append_sample(out, name, labels, gauge.value());
}

// A bucket's end; OpenMetrics writes whole numbers as 1.0 (its section on canonical numbers).
std::string bound_text(double bound, Exposition form) {
  auto text = fmt::format("{}", bound);
  if (form == Exposition::OpenMetrics && text.find_first_of(".e") == std::string::npos)
    text += ".0";
  return text;
}

void append_exemplar(std::string& out, const std::optional<Exemplar>& exemplar) {
  if (!exemplar) return;
  out += " # {trace_id=\"";
  out += to_hex({exemplar->trace_id.data(), exemplar->trace_id.size()});
  const std::chrono::duration<double> value = exemplar->value;
  const std::chrono::duration<double> at = exemplar->at.time_since_epoch();
  fmt::format_to(std::back_inserter(out), "\"}} {} {:.3f}", value.count(), at.count());
}

void append_samples(std::string& out, std::string_view name, std::string_view labels,
                    const Histogram& histogram, Exposition form) {
  const auto buckets = histogram.buckets();
  const auto bounds = Histogram::bounds();
  const auto comma = labels.empty() ? "" : ",";
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    total += buckets[i];
    auto end = i < bounds.size() ? bound_text(bounds[i], form) : std::string("+Inf");
    fmt::format_to(std::back_inserter(out), "{}_bucket{{{}{}le=\"{}\"}} {}", name, labels, comma,
                   end, total);
    if (form == Exposition::OpenMetrics) append_exemplar(out, histogram.exemplar(i));
    out += '\n';
  }
  append_sample(out, fmt::format("{}_sum", name), labels, histogram.sum_seconds());
  append_sample(out, fmt::format("{}_count", name), labels, total);
}

template <class Metric>
struct Labelled {
  Labels labels;
  Metric metric;
};

template <class Metric>
using ByLabels = std::map<std::string, Labelled<Metric>, std::less<>>;

void read(const Counter& counter, MetricSeries& into) {
  into.count = counter.value();
}

void read(const Gauge& gauge, MetricSeries& into) {
  into.value = gauge.value();
}

void read(const Histogram& histogram, MetricSeries& into) {
  into.buckets = histogram.buckets();
  into.sum_seconds = histogram.sum_seconds();
  for (std::size_t i = 0; i < into.buckets.size(); ++i) {
    into.count += into.buckets[i];
    if (auto exemplar = histogram.exemplar(i)) into.exemplars.push_back(*exemplar);
  }
}

}  // namespace

void Counter::add(std::uint64_t amount) {
  shards_[shard_of_this_thread()].count.fetch_add(amount, std::memory_order_relaxed);
}

std::uint64_t Counter::value() const {
  std::uint64_t total = 0;
  for (const auto& shard : shards_) total += shard.count.load(std::memory_order_relaxed);
  return total;
}

std::span<const double> Histogram::bounds() {
  return kEndsInSeconds;
}

void ExemplarSlot::offer(const Exemplar& exemplar) {
  const auto at = exemplar.at.time_since_epoch().count();
  const std::chrono::nanoseconds age(at - at_.load(std::memory_order_relaxed));
  if (age >= std::chrono::nanoseconds::zero() && age < kExemplarInterval) return;
  auto version = version_.load(std::memory_order_relaxed);
  const bool is_free = version % 2 == 0;
  // Who comes second lets the other write.
  if (!is_free ||
      !version_.compare_exchange_strong(version, version + 1, std::memory_order_acquire))
    return;
  std::atomic_thread_fence(std::memory_order_release);
  std::array<std::uint64_t, 2> id;
  std::memcpy(id.data(), exemplar.trace_id.data(), sizeof id);
  at_.store(at, std::memory_order_relaxed);
  value_.store(exemplar.value.count(), std::memory_order_relaxed);
  for (std::size_t i = 0; i < id.size(); ++i) trace_id_[i].store(id[i], std::memory_order_relaxed);
  version_.store(version + 2, std::memory_order_release);
}

std::optional<Exemplar> ExemplarSlot::read() const {
  const auto before = version_.load(std::memory_order_acquire);
  if (before == 0 || before % 2 != 0) return {};
  std::array<std::uint64_t, 2> id;
  for (std::size_t i = 0; i < id.size(); ++i) id[i] = trace_id_[i].load(std::memory_order_relaxed);
  Exemplar exemplar;
  std::memcpy(exemplar.trace_id.data(), id.data(), sizeof id);
  exemplar.value = std::chrono::nanoseconds(value_.load(std::memory_order_relaxed));
  exemplar.at = WallTime(Duration(at_.load(std::memory_order_relaxed)));
  std::atomic_thread_fence(std::memory_order_acquire);
  if (version_.load(std::memory_order_relaxed) != before) return {};
  return exemplar;
}

void Histogram::observe(std::chrono::nanoseconds duration) {
  count_in_bucket(duration);
}

void Histogram::observe(std::chrono::nanoseconds duration, const std::array<char, 16>& trace_id,
                        WallTime at) {
  exemplars_[count_in_bucket(duration)].offer({trace_id, duration, at});
}

std::size_t Histogram::count_in_bucket(std::chrono::nanoseconds duration) {
  static_assert(kEnds.size() + 1 == kBuckets);
  const auto at = std::ranges::lower_bound(kEnds, duration) - kEnds.begin();
  auto& shard = shards_[shard_of_this_thread()];
  shard.buckets[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
  const auto positive = std::max<std::chrono::nanoseconds::rep>(duration.count(), 0);
  shard.nanoseconds.fetch_add(static_cast<std::uint64_t>(positive), std::memory_order_relaxed);
  return static_cast<std::size_t>(at);
}

std::vector<std::uint64_t> Histogram::buckets() const {
  std::vector<std::uint64_t> totals(kBuckets);
  for (const auto& shard : shards_) {
    for (std::size_t i = 0; i < kBuckets; ++i) {
      totals[i] += shard.buckets[i].load(std::memory_order_relaxed);
    }
  }
  return totals;
}

std::uint64_t Histogram::count() const {
  std::uint64_t total = 0;
  for (auto in_bucket : buckets()) total += in_bucket;
  return total;
}

double Histogram::sum_seconds() const {
  std::uint64_t total = 0;
  for (const auto& shard : shards_) total += shard.nanoseconds.load(std::memory_order_relaxed);
  return static_cast<double>(total) / kNanosecondsPerSecond;
}

double Histogram::quantile(double q) const {
  const auto counts = buckets();
  std::uint64_t total = 0;
  for (auto in_bucket : counts) total += in_bucket;
  if (total == 0) return 0;
  const double rank = std::clamp(q, 0.0, 1.0) * static_cast<double>(total);
  double before = 0;
  for (std::size_t i = 0; i < kEndsInSeconds.size(); ++i) {
    const auto here = static_cast<double>(counts[i]);
    if (here > 0 && before + here >= rank) {
      const double start = i == 0 ? 0 : kEndsInSeconds[i - 1];
      return start + (kEndsInSeconds[i] - start) * (rank - before) / here;
    }
    before += here;
  }
  return kEndsInSeconds.back();
}

struct Metrics::Family {
  std::string help;
  std::variant<ByLabels<Counter>, ByLabels<Gauge>, ByLabels<Histogram>> metrics;

  std::string_view type() const {
    static constexpr std::string_view kTypes[] = {"counter", "gauge", "histogram"};
    return kTypes[metrics.index()];
  }

  void write(std::string& out, std::string_view name, Exposition form) const {
    const bool is_open = form == Exposition::OpenMetrics;
    const auto own = is_open && metrics.index() == 0 ? without_total(name) : name;
    out += fmt::format("# HELP {} ", own);
    append_escaped(out, help, is_open);
    out += fmt::format("\n# TYPE {} {}\n", own, type());
    std::visit(
        [&](const auto& by_labels) {
          for (const auto& [labels, labelled] : by_labels) {
            append_samples(out, name, labels, labelled.metric, form);
          }
        },
        metrics);
  }
};

struct Metrics::State {
  mutable std::mutex mutex;
  std::map<std::string, Family, std::less<>> families;

  template <class Metric>
  Metric& find(std::string_view name, std::string_view help, Labels labels) {
    // The order of the caller's list does not matter.
    std::ranges::sort(labels);
    std::lock_guard lock(mutex);
    auto family = families.find(name);
    if (family == families.end()) {
      family = families.try_emplace(std::string(name)).first;
      family->second.help = help;
      family->second.metrics.template emplace<ByLabels<Metric>>();
    }
    auto* metrics = std::get_if<ByLabels<Metric>>(&family->second.metrics);
    ENSURE(metrics != nullptr, "a metric name has one type");
    auto [at, is_new] = metrics->try_emplace(label_text(labels));
    if (is_new) at->second.labels = std::move(labels);
    return at->second.metric;
  }
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(std::string_view name, std::string_view help, const Labels& labels) {
  return state_->find<Counter>(name, help, labels);
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  return state_->find<Gauge>(name, help, labels);
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, const Labels& labels) {
  return state_->find<Histogram>(name, help, labels);
}

std::vector<MetricFamily> Metrics::snapshot() const {
  std::lock_guard lock(state_->mutex);
  std::vector<MetricFamily> families;
  for (const auto& [name, family] : state_->families) {
    MetricFamily copy{name, family.help, static_cast<MetricType>(family.metrics.index()), {}};
    std::visit(
        [&](const auto& by_labels) {
          for (const auto& [text, labelled] : by_labels) {
            auto& series = copy.series.emplace_back();
            series.labels = labelled.labels;
            read(labelled.metric, series);
          }
        },
        family.metrics);
    families.push_back(std::move(copy));
  }
  return families;
}

std::string Metrics::prometheus_text() const {
  std::lock_guard lock(state_->mutex);
  std::string out;
  for (const auto& [name, family] : state_->families) {
    family.write(out, name, Exposition::PrometheusText);
  }
  return out;
}

std::string Metrics::openmetrics_text() const {
  std::lock_guard lock(state_->mutex);
  std::string out;
  for (const auto& [name, family] : state_->families) {
    family.write(out, name, Exposition::OpenMetrics);
  }
  out += "# EOF\n";
  return out;
}

}  // namespace weft
