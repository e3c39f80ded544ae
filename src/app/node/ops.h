// The ops listener: /livez (the process answers), /readyz (it takes traffic), /metrics (Prometheus text, or
// OpenMetrics for those who accept it).
// No credentials, nothing secret. Any loop.
#pragma once

#include <atomic>
#include <functional>

#include "http/server.h"
#include "runtime/metrics.h"

namespace weft::app {

// Whether this Accept field asks for OpenMetrics 1.0 rather than for Prometheus text.
bool prefers_openmetrics(std::string_view accept);

class Ops final : public http::Handler {
 public:
  // `refresh` updates gauges that are computed when somebody looks; `more` gives further families as
  // text (true: OpenMetrics).
  Ops(Metrics& metrics, std::function<void()> refresh, std::function<std::string(bool)> more)
      : metrics_(metrics), refresh_(std::move(refresh)), more_(std::move(more)) {}

  void set_ready(bool ready) { ready_.store(ready, std::memory_order_release); }
  Task<void> handle(http::Exchange& exchange) override;

 private:
  std::string metrics_text(bool is_openmetrics) const;
  http::Response answer(const http::RequestHead& head) const;

  Metrics& metrics_;
  std::function<void()> refresh_;
  std::function<std::string(bool)> more_;
  std::atomic<bool> ready_{false};
};

}  // namespace weft::app
