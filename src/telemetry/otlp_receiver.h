// OTLP/HTTP in: POST /v1/traces, /v1/logs and /v1/metrics in Protobuf or JSON, gzip or plain, into
// the stores that Weft's own telemetry goes to (opentelemetry.io/docs/specs/otlp, OTLP/HTTP).
//
// Any loop. Failure: a body that cannot be read is refused whole (400, 413, 415); of one that can
// be read, what cannot be kept is left out and told of as a partial success. Errors carry a
// google.rpc.Status in the encoding of the request.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/server.h"
#include "runtime/clock.h"
#include "runtime/log.h"
#include "runtime/metrics.h"
#include "runtime/spans.h"
#include "telemetry/foreign_metrics.h"

namespace weft::telemetry {

inline constexpr std::uint64_t kOtlpBodyBytesMax = 16 * 1024 * 1024;  // packed, and unpacked

struct OtlpReceiverParts {
  SpanSink& spans;
  LogSink* logs;  // null: log records are refused
  ForeignMetrics& metrics;
  Clock& clock;
  Metrics& own_metrics;
  // The error says why the sender may not send.
  std::function<Result<>(std::string_view api_key)> authenticate;
  std::function<Result<std::string>(std::string_view packed, std::size_t bytes_max)> gunzip;
};

class OtlpReceiver final : public http::Handler {
 public:
  explicit OtlpReceiver(OtlpReceiverParts parts);
  Task<void> handle(http::Exchange& exchange) override;

 private:
  struct Refusal;
  http::Response answer(const http::RequestHead& head, std::string_view body);

  OtlpReceiverParts parts_;
  Counter& accepted_;
  Counter& rejected_;
  Counter& refused_;
};

}  // namespace weft::telemetry
