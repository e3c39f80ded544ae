// The emit side of metrics: counters, gauges and histograms in a registry, exposed as Prometheus
// text or OpenMetrics. Names are weft_<module>_<noun>_<unit>[_total]; labels are bounded by the
// caller.
//
// Handles are references that live as long as the registry; look one up once, then use it from any
// thread. An increment is one relaxed atomic add on a cache line of the calling thread's shard.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace weft {

inline constexpr std::size_t kMetricShards = 8;

class Counter {
 public:
  void add(std::uint64_t amount = 1);
  std::uint64_t value() const;

 private:
  struct alignas(64) Shard {
    std::atomic<std::uint64_t> count{0};
  };
  std::array<Shard, kMetricShards> shards_;
};

class Gauge {
 public:
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// A trace that shows what a bucket's values are like.
struct Exemplar {
  std::array<char, 16> trace_id{};
  std::chrono::nanoseconds value{};
  WallTime at{};
};

// The latest exemplar of a bucket. A bucket takes one per kExemplarInterval at most, so that what
// each observation pays is one load of a line that hardly ever changes. Any thread.
class ExemplarSlot {
 public:
  void offer(const Exemplar& exemplar);
  std::optional<Exemplar> read() const;  // absent: there is none, or it is being replaced

 private:
  std::atomic<std::int64_t> at_{0};
  std::atomic<std::uint32_t> version_{0};  // odd while it is written
  std::atomic<std::int64_t> value_{0};
  std::array<std::atomic<std::uint64_t>, 2> trace_id_{};
};

inline constexpr std::chrono::seconds kExemplarInterval{1};

// Latency in seconds, in fixed buckets from 50 µs to 60 s.
class Histogram {
 public:
  static std::span<const double> bounds();
  void observe(std::chrono::nanoseconds duration);
  // The same, with a trace to show for it: one that is kept.
  void observe(std::chrono::nanoseconds duration, const std::array<char, 16>& trace_id,
               WallTime at);
  std::uint64_t count() const;
  double sum_seconds() const;
  // Estimated from the buckets; 0 when empty.
  double quantile(double q) const;
  std::vector<std::uint64_t> buckets() const;  // not cumulative; one more than bounds()
  std::optional<Exemplar> exemplar(std::size_t bucket) const { return exemplars_[bucket].read(); }

 private:
  std::size_t count_in_bucket(std::chrono::nanoseconds duration);

  static constexpr std::size_t kBuckets = 20;
  struct alignas(64) Shard {
    std::array<std::atomic<std::uint64_t>, kBuckets> buckets{};
    std::atomic<std::uint64_t> nanoseconds{0};
  };
  std::array<Shard, kMetricShards> shards_;
  std::array<ExemplarSlot, kBuckets> exemplars_;
};

using Labels = std::vector<std::pair<std::string, std::string>>;

enum class MetricType : std::uint8_t { Counter, Gauge, Histogram };

// The state of one metric at one moment. What its type has not is empty.
struct MetricSeries {
  Labels labels;                       // sorted by name
  std::uint64_t count = 0;             // of a counter its value, of a histogram its observations
  std::int64_t value = 0;              // of a gauge
  double sum_seconds = 0;              // of a histogram
  std::vector<std::uint64_t> buckets;  // of a histogram: Histogram::buckets()
  std::vector<Exemplar> exemplars;     // of a histogram
};

struct MetricFamily {
  std::string name;
  std::string help;
  MetricType type = MetricType::Counter;
  std::vector<MetricSeries> series;
};

// Thread-safe. The same name and labels give the same handle.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, const Labels& labels = {});

  // All that there are, by name: for those who write them in a form of their own.
  std::vector<MetricFamily> snapshot() const;
  // Prometheus text exposition format 0.0.4.
  std::string prometheus_text() const;
  // OpenMetrics 1.0, with the exemplars of histograms.
  std::string openmetrics_text() const;

 private:
  struct Family;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft
