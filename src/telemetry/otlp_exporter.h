// Sends what TraceStore records to an OTLP/HTTP receiver (OpenTelemetry Collector, Jaeger, …):
// POST <endpoint>/v1/traces, Protobuf or JSON, in batches.
//
//   OtlpExporter exporter(store, sender_over(client), clock, random, metrics, options);
//   group.spawn(exporter.run());
//   …
//   co_await exporter.flush();   // at shutdown, before the group is cancelled
//
// Used on one loop. Never in the way of those who record: what a slow or absent receiver leaves
// behind is bounded by TraceStoreOptions::export_chunks_max, the rest is dropped and counted.
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
#include "telemetry/core/otlp_encode.h"
#include "telemetry/trace_store.h"

namespace weft::telemetry {

enum class OtlpEncoding : std::uint8_t { Protobuf, Json };

struct OtlpExporterOptions {
  std::string endpoint;  // http://collector:4318; "/v1/traces" is added when it has no path
  std::vector<std::pair<std::string, std::string>> fields;  // e.g. an Authorization header
  OtlpEncoding encoding = OtlpEncoding::Protobuf;
  OtlpResource resource;
  Duration interval = 1s;  // how long a span waits at most before its batch is sent
  std::size_t batch_spans_max = 512;
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
  // The parts must outlive the exporter. Starts the store's export.
  OtlpExporter(TraceStore& store, OtlpSender sender, Clock& clock, Random& random, Metrics& metrics,
               OtlpExporterOptions options);

  // InvalidArgument when the endpoint is no http or https URL; else ends when cancelled.
  Task<Result<>> run();
  // Sends what has been recorded so far, each batch once. Not while run() is sending.
  Task<Result<>> flush();

 private:
  struct Batch {
    std::string body;
    std::size_t spans = 0;
  };
  enum class Verdict : std::uint8_t { Accepted, Later, Refused };
  struct Answer {
    Verdict verdict = Verdict::Later;
    Duration retry_after{};
    std::string reason;
  };

  Batch next_batch();
  Task<Answer> send_once(const Batch& batch);
  Task<Result<>> send_with_retry(Batch batch);
  Duration backoff(std::uint32_t attempt, Duration retry_after);
  void settle(const Batch& batch, const Answer& answer);
  void count_lost_in_store();

  TraceStore& store_;
  OtlpSender sender_;
  Clock& clock_;
  Random& random_;
  OtlpExporterOptions options_;
  Result<http::Url> url_;
  Counter& exported_;
  Counter& dropped_;
  Counter& failed_attempts_;
  Batch interrupted_;  // on its way when run() was cancelled; flush() sends it first
  std::uint64_t lost_in_store_ = 0;
  bool was_failing_ = false;
};

}  // namespace weft::telemetry
