// What an OtlpExporter sends: one source per signal and receiver, which gives its telemetry batch
// by batch as requests of OTLP or of Zipkin. Used on the exporter's loop, unless a class says more.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "runtime/clock.h"
#include "runtime/log.h"
#include "runtime/metrics.h"
#include "telemetry/core/otlp_encode.h"
#include "telemetry/trace_store.h"

namespace weft::telemetry {

// How a source's batches reach their receiver.
struct ExportWire {
  std::string_view path;            // added to the endpoint
  std::string_view path_often_set;  // that many write as part of the endpoint: taken off it
  std::string_view receiver;        // as the log calls it
  std::string_view not_found_hint;
  const WireMessage* protobuf = nullptr;  // null: there is JSON alone
};

const ExportWire& otlp_wire(OtlpSignal signal);
const ExportWire& zipkin_wire();

// Encoded as JSON; the exporter makes Protobuf of it when that is wanted and to be had.
struct OtlpBatch {
  std::string json;
  std::size_t items = 0;  // spans, data points, log records; none: there is nothing to send
  bool has_more = false;  // the next batch is there already
};

// How many items were taken by the receiver, and how many were not and never will be.
struct OtlpSourceCounters {
  Counter& exported;
  Counter& dropped;
};

class OtlpSource {
 public:
  virtual ~OtlpSource() = default;
  virtual const ExportWire& wire() const = 0;
  virtual OtlpSourceCounters counters(Metrics& metrics) const = 0;
  virtual OtlpBatch next() = 0;
  // Items that a bounded queue gave up before next() came for them, since the start.
  virtual std::uint64_t lost() const = 0;
};

// The traces that a store keeps. Starts the store's export.
class OtlpSpans final : public OtlpSource {
 public:
  OtlpSpans(TraceStore& store, OtlpResource resource);
  const ExportWire& wire() const override { return otlp_wire(OtlpSignal::Traces); }
  OtlpSourceCounters counters(Metrics& metrics) const override;
  OtlpBatch next() override;
  std::uint64_t lost() const override;

 private:
  TraceStore& store_;
  const ExportQueue queue_;
  const OtlpResource resource_;
};

// The same for a Zipkin collector: POST /api/v2/spans. Spans that name no service are `service`'s.
class ZipkinSpans final : public OtlpSource {
 public:
  ZipkinSpans(TraceStore& store, std::string service);
  const ExportWire& wire() const override { return zipkin_wire(); }
  OtlpSourceCounters counters(Metrics& metrics) const override;
  OtlpBatch next() override;
  std::uint64_t lost() const override;

 private:
  TraceStore& store_;
  const ExportQueue queue_;
  const std::string service_;
};

// All metrics as they stand. `refresh` brings those up to date that are counted elsewhere.
class OtlpMetrics final : public OtlpSource {
 public:
  OtlpMetrics(const Metrics& metrics, Clock& clock, OtlpResource resource,
              std::function<void()> refresh);
  const ExportWire& wire() const override { return otlp_wire(OtlpSignal::Metrics); }
  OtlpSourceCounters counters(Metrics& metrics) const override;
  OtlpBatch next() override;
  std::uint64_t lost() const override { return 0; }

 private:
  const Metrics& metrics_;
  Clock& clock_;
  const OtlpResource resource_;
  const std::function<void()> refresh_;
  const WallTime started_;
};

// The process's log lines. A sink that hands each line on to `next_sink`, which may be null, and
// keeps a copy for the exporter: at most `bytes_max`, of which the oldest go first. take() and
// lost(): any thread.
class OtlpLogs final : public OtlpSource, public LogSink {
 public:
  OtlpLogs(LogSink* next_sink, Clock& clock, OtlpResource resource, std::size_t bytes_max);
  void take(LogLevel level, std::string_view line) override;
  const ExportWire& wire() const override { return otlp_wire(OtlpSignal::Logs); }
  OtlpSourceCounters counters(Metrics& metrics) const override;
  OtlpBatch next() override;
  std::uint64_t lost() const override;

 private:
  LogSink* const next_sink_;
  Clock& clock_;
  const OtlpResource resource_;
  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  std::deque<std::string> lines_;  // guarded by mutex_, as the rest
  std::size_t bytes_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace weft::telemetry
