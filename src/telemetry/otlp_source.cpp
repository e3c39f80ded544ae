#include "telemetry/otlp_source.h"

namespace weft::telemetry {

namespace {

constexpr std::size_t kBatchItemsMax = 512;

}  // namespace

OtlpSpans::OtlpSpans(TraceStore& store, OtlpResource resource)
    : store_(store), resource_(std::move(resource)) {
  store_.start_export();
}

OtlpSourceCounters OtlpSpans::counters(Metrics& metrics) const {
  return {metrics.counter("weft_telemetry_exported_spans_total",
                          "Spans that the OTLP receiver accepted"),
          metrics.counter(
              "weft_telemetry_dropped_spans_total",
              "Spans that were not exported: refused, or the receiver was away for too long")};
}

OtlpBatch OtlpSpans::next() {
  const auto slices = store_.take_unexported(kBatchItemsMax);
  OtlpBatch batch;
  for (const auto& slice : slices) batch.items += slice.size();
  if (batch.items == 0) return batch;
  batch.json = otlp_spans_json(slices, resource_);
  batch.has_more = batch.items >= kBatchItemsMax;
  return batch;
}

std::uint64_t OtlpSpans::lost() const {
  return store_.stats().spans_unexported;
}

OtlpMetrics::OtlpMetrics(const Metrics& metrics, Clock& clock, OtlpResource resource,
                         std::function<void()> refresh)
    : metrics_(metrics),
      clock_(clock),
      resource_(std::move(resource)),
      refresh_(std::move(refresh)),
      started_(clock.now()) {}

OtlpSourceCounters OtlpMetrics::counters(Metrics& metrics) const {
  return {metrics.counter("weft_telemetry_exported_data_points_total",
                          "Data points of metrics that the OTLP receiver accepted"),
          metrics.counter(
              "weft_telemetry_dropped_data_points_total",
              "Data points of metrics that were not exported; later ones make up for them")};
}

OtlpBatch OtlpMetrics::next() {
  if (refresh_) refresh_();
  const auto families = metrics_.snapshot();
  OtlpBatch batch;
  for (const auto& family : families) batch.items += family.series.size();
  if (batch.items > 0) batch.json = otlp_metrics_json(families, resource_, started_, clock_.now());
  return batch;
}

OtlpLogs::OtlpLogs(LogSink* next_sink, Clock& clock, OtlpResource resource, std::size_t bytes_max)
    : next_sink_(next_sink), clock_(clock), resource_(std::move(resource)), bytes_max_(bytes_max) {}

void OtlpLogs::take(LogLevel level, std::string_view line) {
  if (next_sink_ != nullptr) next_sink_->take(level, line);
  std::lock_guard lock(mutex_);
  lines_.emplace_back(line);
  bytes_ += line.size();
  while (bytes_ > bytes_max_) {
    bytes_ -= lines_.front().size();
    lines_.pop_front();
    ++lost_;
  }
}

OtlpSourceCounters OtlpLogs::counters(Metrics& metrics) const {
  return {metrics.counter("weft_telemetry_exported_log_records_total",
                          "Log lines that the OTLP receiver accepted"),
          metrics.counter(
              "weft_telemetry_dropped_log_records_total",
              "Log lines that were not exported: refused, or the receiver was away for too long")};
}

OtlpBatch OtlpLogs::next() {
  std::vector<std::string> lines;
  OtlpBatch batch;
  {
    std::lock_guard lock(mutex_);
    while (!lines_.empty() && lines.size() < kBatchItemsMax) {
      bytes_ -= lines_.front().size();
      lines.push_back(std::move(lines_.front()));
      lines_.pop_front();
    }
    batch.has_more = !lines_.empty();
  }
  batch.items = lines.size();
  if (batch.items > 0) batch.json = otlp_logs_json(lines, resource_, clock_.now());
  return batch;
}

std::uint64_t OtlpLogs::lost() const {
  std::lock_guard lock(mutex_);
  return lost_;
}

}  // namespace weft::telemetry
