// The ops listener: /livez (the process answers), /readyz (it takes traffic), /metrics (Prometheus
// text, or OpenMetrics for those who accept it). No credentials, nothing secret. Of a node without
// admin listener also what other nodes ask, which needs their mark. Any loop.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "http/server.h"
#include "runtime/metrics.h"

namespace weft::app {

// Whether this Accept field asks for OpenMetrics 1.0 rather than for Prometheus text.
bool prefers_openmetrics(std::string_view accept);

struct OpsParts {
  std::function<void()> refresh;          // of gauges that are computed when somebody looks
  std::function<std::string(bool)> more;  // further families as text (true: OpenMetrics)
  std::function<std::string()> note;  // what a ready node says of itself besides, empty or a line
  // Takes what other nodes ask (node_signature.h) where there is no admin listener; null: nothing.
  http::Handler* for_nodes = nullptr;
};

class Ops final : public http::Handler {
 public:
  Ops(Metrics& metrics, OpsParts parts) : metrics_(metrics), parts_(std::move(parts)) {}

  void set_ready(bool ready) { ready_.store(ready, std::memory_order_release); }
  Task<void> handle(http::Exchange& exchange) override;

 private:
  std::string metrics_text(bool is_openmetrics) const;
  http::Response answer(const http::RequestHead& head) const;

  Metrics& metrics_;
  OpsParts parts_;
  std::atomic<bool> ready_{false};
};

}  // namespace weft::app
