// Sends one signal of telemetry to a receiver, as a source gives it, in batches. To an OTLP/HTTP
// receiver (OpenTelemetry Collector, Jaeger, …): POST <endpoint>/v1/traces, /v1/metrics or
// /v1/logs, Protobuf or JSON. To a Zipkin collector: POST <endpoint>/api/v2/spans, JSON.
//
//   OtlpSpans spans(store, weft_resource(version));
//   OtlpExporter exporter(spans, sender_over(client), clock, random, metrics, options);
//   group.spawn(exporter.run());
//   …
//   co_await exporter.flush();   // at shutdown, before the group is cancelled
//
// Used on one loop. Never in the way of those who record: what a slow or absent receiver leaves
// behind is bounded by the source, the rest is dropped and counted.
//
// Failure: a batch that is refused for good (4xx) is dropped; what may work later (no connection,
// 429, 502, 503, 504) is sent again with exponential backoff and jitter, or after Retry-After, as
// the OTLP specification asks.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "http/client.h"
#include "runtime/clock.h"
#include "runtime/metrics.h"
#include "runtime/random.h"
#include "telemetry/otlp_source.h"

namespace weft::telemetry {

enum class OtlpEncoding : std::uint8_t { Protobuf, Json };

struct OtlpExporterOptions {
  // http://collector:4318, or with a path of the receiver's; the source's path is added to it.
  std::string endpoint;
  std::vector<std::pair<std::string, std::string>> fields;  // e.g. an Authorization header
  OtlpEncoding encoding = OtlpEncoding::Protobuf;           // of a source that has both
  Duration interval = 1s;  // from one look at the source to the next
  Duration request_timeout = 10s;
  std::uint32_t attempts_max = 5;  // per batch
  Duration backoff_first = 1s;     // doubles from attempt to attempt
  Duration backoff_max = 30s;
};

// service.name=weft, service.version and, when given, service.instance.id.
OtlpResource weft_resource(std::string_view version, std::string_view instance_id = {});

using OtlpSender = std::function<Task<Result<http::ClientResponse>>(http::ClientRequest)>;

// The client must outlive the sender.
inline OtlpSender sender_over(http::Client& client) {
  return [&client](http::ClientRequest request) { return client.send(std::move(request)); };
}

class OtlpExporter {
 public:
  // The parts must outlive the exporter.
  OtlpExporter(OtlpSource& source, OtlpSender sender, Clock& clock, Random& random,
               Metrics& metrics, OtlpExporterOptions options);

  // InvalidArgument when the endpoint is no http or https URL; else ends when cancelled.
  Task<Result<>> run();
  // Sends what the source has now, each batch once. Not while run() is sending.
  Task<Result<>> flush();

 private:
  struct Batch {
    std::string body;
    std::size_t items = 0;
    bool has_more = false;
  };
  enum class Verdict : std::uint8_t { Accepted, Later, Refused };
  struct Answer {
    Verdict verdict = Verdict::Later;
    Duration retry_after{};
    std::string reason;
  };

  bool sends_protobuf() const;
  Batch next_batch();
  Task<Answer> send_once(const Batch& batch);
  Task<Result<>> send_with_retry(Batch batch);
  Duration backoff(std::uint32_t attempt, Duration retry_after);
  void settle(const Batch& batch, const Answer& answer);
  void count_lost_in_source();

  OtlpSource& source_;
  OtlpSender sender_;
  Clock& clock_;
  Random& random_;
  OtlpExporterOptions options_;
  const ExportWire& wire_;
  Result<http::Url> url_;
  OtlpSourceCounters counters_;
  Counter& failed_attempts_;
  Batch interrupted_;  // on its way when run() was cancelled; flush() sends it first
  std::uint64_t lost_in_source_ = 0;
  bool was_failing_ = false;
};

}  // namespace weft::telemetry
