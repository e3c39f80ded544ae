#include "gateway/request_recorder.h"

#include <charconv>
#include <cmath>

namespace weft::gateway {

namespace {

constexpr std::size_t kAttributesMax = 12;
using Attribute = std::pair<std::string_view, std::string_view>;

struct Attributes {
  std::array<Attribute, kAttributesMax> list;
  std::size_t count = 0;

  void add(std::string_view name, std::string_view value) {
    if (!value.empty() && count < list.size()) list[count++] = {name, value};
  }
};

// A number's text without an allocation.
struct Digits {
  explicit Digits(std::int64_t number) {
    auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
    size = static_cast<std::size_t>(end - text.data());
  }
  std::string_view view() const { return {text.data(), size}; }
  std::array<char, 24> text;
  std::size_t size = 0;
};

bool has_failed(const ForwardResult& result) {
  return result.status >= 500 || !result.error.empty();
}

std::int64_t to_us(Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

}  // namespace

RouteMetrics::RouteMetrics(Metrics& metrics, const std::string& api, const std::string& method,
                           const std::string& route)
    : route_(route), span_name_(method + " " + route) {
  constexpr std::array<const char*, 6> kClasses{"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
  for (std::size_t i = 0; i < by_class_.size(); ++i) {
    by_class_[i] = &metrics.counter(
        "weft_gateway_requests_total", "Requests answered, by route and class of status.",
        {{"api", api}, {"method", method}, {"route", route}, {"status", kClasses[i]}});
  }
  latency_ = &metrics.histogram("weft_gateway_request_seconds",
                                "From the head of a request to the end of its answer.",
                                {{"api", api}, {"method", method}, {"route", route}});
}

void RouteMetrics::record(int status, Duration latency, const RequestContext& context) {
  auto index = static_cast<std::size_t>(status / 100);
  by_class_[index < by_class_.size() ? index : 0]->add();
  if (context.trace.sampled)
    latency_->observe(latency, context.trace.trace_id, context.start + latency);
  else
    latency_->observe(latency);
}

RouteTraffic RouteMetrics::traffic() const {
  RouteTraffic traffic;
  for (const auto* counter : by_class_) traffic.requests += counter->value();
  traffic.client_errors = by_class_[4]->value();
  traffic.server_errors = by_class_[5]->value();
  traffic.requests_per_second = requests_per_second_.load(std::memory_order_relaxed);
  traffic.p50_seconds = latency_->quantile(0.50);
  traffic.p95_seconds = latency_->quantile(0.95);
  traffic.p99_seconds = latency_->quantile(0.99);
  return traffic;
}

void RouteMetrics::sample(Duration since_last) {
  constexpr double kMemorySeconds = 60;
  auto seconds = std::chrono::duration<double>(since_last).count();
  if (seconds <= 0) return;
  std::uint64_t requests = 0;
  for (const auto* counter : by_class_) requests += counter->value();
  auto rate = static_cast<double>(requests - sampled_requests_) / seconds;
  auto weight = 1 - std::exp(-seconds / kMemorySeconds);
  auto before = requests_per_second_.load(std::memory_order_relaxed);
  requests_per_second_.store(before + weight * (rate - before), std::memory_order_relaxed);
  sampled_requests_ = requests;
}

RequestRecorder::RequestRecorder(Clock& clock, Random& random, SpanSink& spans,
                                 AccessLog* access_log)
    : clock_(clock), random_(random), spans_(spans), access_log_(access_log) {}

RequestContext RequestRecorder::begin(http::Exchange& exchange) {
  RequestContext context;
  context.start = clock_.now();
  auto sent = exchange.head().find("traceparent");
  auto parent = sent ? TraceContext::parse(*sent) : std::nullopt;
  if (parent) {
    context.parent_id = parent->span_id;
    context.trace = parent->child(random_);
  } else {
    context.trace = TraceContext::start(random_);
  }
  return context;
}

void RequestRecorder::end(const http::Exchange& exchange, RouteMetrics& route,
                          const RequestContext& context, const ForwardResult& result) {
  const auto latency = clock_.mono() - exchange.received_at();
  route.record(result.status, latency, context);
  // What is not sampled, fast and well costs no more than this question, unless its trace goes on:
  // then a delivery may still fail, and the whole trace is wanted.
  if (result.is_stored || spans_.keeps_last(context.trace.sampled, has_failed(result), latency)) {
    record_span(exchange, route, context, result, latency);
  }
  if (access_log_ != nullptr) log(exchange, route, context, result, latency);
}

void RequestRecorder::record_span(const http::Exchange& exchange, const RouteMetrics& route,
                                  const RequestContext& context, const ForwardResult& result,
                                  Duration latency) const {
  const auto& head = exchange.head();
  Digits status(result.status);
  Digits upstream_us(to_us(result.upstream_time));
  Attributes attributes;
  attributes.add("service.name", "gateway");
  attributes.add("http.request.method", head.method);
  attributes.add("http.route", route.route());
  attributes.add("url.path", head.path);
  attributes.add("http.response.status_code", status.view());
  attributes.add("client.address", exchange.peer_address());
  if (context.principal) attributes.add("weft.principal", context.principal->id);
  if (!result.target.empty()) {
    attributes.add("server.address", result.target);
    attributes.add("weft.upstream.us", upstream_us.view());
  }
  attributes.add("error.type", result.error);
  SpanView span;
  span.context = context.trace;
  span.parent_id = context.parent_id;
  span.name = route.span_name();
  span.kind = SpanKind::Server;
  span.start = context.start;
  span.end = context.start + latency;
  span.failed = has_failed(result);
  span.attributes = std::span(attributes.list).first(attributes.count);
  spans_.record_view(span);
}

void RequestRecorder::log(const http::Exchange& exchange, const RouteMetrics& route,
                          const RequestContext& context, const ForwardResult& result,
                          Duration latency) const {
  const auto& head = exchange.head();
  auto trace_id = context.trace.trace_id_hex();
  AccessEntry entry;
  entry.time = context.start;
  entry.client = exchange.peer_address();
  entry.method = head.method;
  entry.host = head.host;
  entry.path = head.path;
  entry.route = route.route();
  entry.status = result.status;
  entry.duration = latency;
  entry.upstream = result.target;
  entry.upstream_time = result.upstream_time;
  entry.error = result.error;
  if (context.principal) entry.principal = context.principal->id;
  entry.trace_id = trace_id;
  access_log_->record(entry);
}

void RequestRecorder::end_unrouted(const http::Exchange& exchange, int status,
                                   std::string_view trace_id) const {
  if (access_log_ == nullptr) return;
  AccessEntry entry;
  entry.time = clock_.now();
  entry.client = exchange.peer_address();
  entry.method = exchange.head().method;
  entry.host = exchange.head().host;
  entry.path = exchange.head().path;
  entry.status = status;
  entry.duration = clock_.mono() - exchange.received_at();
  entry.trace_id = trace_id;
  access_log_->record(entry);
}

}  // namespace weft::gateway
