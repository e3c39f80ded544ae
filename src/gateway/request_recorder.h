// Begins and ends what is known about a request: the trace is read from `traceparent` or begun, and
// at the end one server span and the route's metrics are recorded, and an access log line when
// there is such a log.
//
// Any loop; allocates nothing but that line.
#pragma once

#include <array>
#include <atomic>
#include <string>

#include "gateway/access_log.h"
#include "gateway/proxy.h"
#include "gateway/request_context.h"
#include "http/server.h"
#include "runtime/clock.h"
#include "runtime/metrics.h"
#include "runtime/random.h"
#include "runtime/spans.h"

namespace weft::gateway {

// What a route has seen since the start of the node.
struct RouteTraffic {
  std::uint64_t requests = 0;
  std::uint64_t client_errors = 0;  // 400 to 499
  std::uint64_t server_errors = 0;  // 500 and above
  double requests_per_second = 0;   // over about the last minute
  double p50_seconds = 0;
  double p95_seconds = 0;
  double p99_seconds = 0;
};

// The metrics of one route; made when routes are compiled.
class RouteMetrics {
 public:
  // `route`: its path template; bounded by the estate.
  RouteMetrics(Metrics& metrics, const std::string& api, const std::string& method,
               const std::string& route);
  // A trace that is kept is shown as the exemplar of its latency.
  void record(int status, Duration latency, const RequestContext& context);
  RouteTraffic traffic() const;
  // Moves the rate towards what was seen since the last call. One task.
  void sample(Duration since_last);

  const std::string& route() const { return route_; }
  const std::string& span_name() const { return span_name_; }  // "GET /orders/{id}"

 private:
  std::string route_;
  std::string span_name_;
  std::array<Counter*, 6> by_class_{};  // [n]: n00 to n99; [0]: anything else
  Histogram* latency_;
  std::uint64_t sampled_requests_ = 0;
  std::atomic<double> requests_per_second_{0};
};

class RequestRecorder {
 public:
  // `access_log` may be null: none is kept.
  RequestRecorder(Clock& clock, Random& random, SpanSink& spans, AccessLog* access_log);

  RequestContext begin(http::Exchange& exchange);
  void end(const http::Exchange& exchange, RouteMetrics& route, const RequestContext& context,
           const ForwardResult& result);
  // A request that no route took.
  void end_unrouted(const http::Exchange& exchange, int status, std::string_view trace_id) const;

 private:
  void record_span(const http::Exchange& exchange, const RouteMetrics& route,
                   const RequestContext& context, const ForwardResult& result,
                   Duration latency) const;
  void log(const http::Exchange& exchange, const RouteMetrics& route, const RequestContext& context,
           const ForwardResult& result, Duration latency) const;

  Clock& clock_;
  Random& random_;
  SpanSink& spans_;
  AccessLog* access_log_;
};

}  // namespace weft::gateway
