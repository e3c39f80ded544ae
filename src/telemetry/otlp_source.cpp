#include "telemetry/otlp_source.h"

#include "telemetry/core/zipkin_encode.h"

namespace weft::telemetry {

namespace {

constexpr std::size_t kBatchItemsMax = 512;

// Without its text. More than the batch's limit may follow.
OtlpBatch batch_of(const std::vector<SpanSlice>& slices) {
  OtlpBatch batch;
  for (const auto& slice : slices) batch.items += slice.size();
  batch.has_more = batch.items >= kBatchItemsMax;
  return batch;
}

ExportWire wire_of(OtlpSignal signal, std::string_view path) {
  return {path, "/v1/traces", "OTLP receiver",
          "it has no such path; telemetry.otlpSignals says what is sent", &request_message(signal)};
}

}  // namespace

const ExportWire& otlp_wire(OtlpSignal signal) {
  static const ExportWire traces = wire_of(OtlpSignal::Traces, "/v1/traces");
  static const ExportWire metrics = wire_of(OtlpSignal::Metrics, "/v1/metrics");
  static const ExportWire logs = wire_of(OtlpSignal::Logs, "/v1/logs");
  switch (signal) {
    case OtlpSignal::Traces:
      return traces;
    case OtlpSignal::Metrics:
      return metrics;
    case OtlpSignal::Logs:
      return logs;
  }
  return traces;
}

const ExportWire& zipkin_wire() {
  static constexpr ExportWire kWire{
      "/api/v2/spans", "/api/v2/spans", "Zipkin collector",
      "it has no such path; telemetry.zipkin.endpoint is what stands before /api/v2/spans"};
  return kWire;
}

OtlpSpans::OtlpSpans(TraceStore& store, OtlpResource resource)
    : store_(store), queue_(store.start_export()), resource_(std::move(resource)) {}

OtlpSourceCounters OtlpSpans::counters(Metrics& metrics) const {
  return {metrics.counter("weft_telemetry_exported_spans_total",
                          "Spans that the OTLP receiver accepted"),
          metrics.counter(
              "weft_telemetry_dropped_spans_total",
              "Spans that were not exported: refused, or the receiver was away for too long")};
}

OtlpBatch OtlpSpans::next() {
  const auto slices = store_.take_unexported(queue_, kBatchItemsMax);
  auto batch = batch_of(slices);
  if (batch.items > 0) batch.json = otlp_spans_json(slices, resource_);
  return batch;
}

std::uint64_t OtlpSpans::lost() const {
  return store_.unexported(queue_);
}

ZipkinSpans::ZipkinSpans(TraceStore& store, std::string service)
    : store_(store), queue_(store.start_export()), service_(std::move(service)) {}

OtlpSourceCounters ZipkinSpans::counters(Metrics& metrics) const {
  return {metrics.counter("weft_telemetry_exported_zipkin_spans_total",
                          "Spans that the Zipkin collector accepted"),
          metrics.counter("weft_telemetry_dropped_zipkin_spans_total",
                          "Spans that did not reach the Zipkin collector: refused, or it was away "
                          "for too long")};
}

OtlpBatch ZipkinSpans::next() {
  const auto slices = store_.take_unexported(queue_, kBatchItemsMax);
  auto batch = batch_of(slices);
  if (batch.items > 0) batch.json = zipkin_spans_json(slices, service_);
  return batch;
}

std::uint64_t ZipkinSpans::lost() const {
  return store_.unexported(queue_);
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
