// The ops listener: /livez (the process answers), /readyz (it takes traffic), /metrics (Prometheus text).
// No credentials, nothing secret. Any loop.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "http/server.h"
#include "runtime/metrics.h"

namespace weft::app {

class Ops final : public http::Handler {
 public:
  // `refresh` updates gauges that are computed when somebody looks; `note` is what a ready node
  // says of itself besides, empty or a line.
  Ops(Metrics& metrics, std::function<void()> refresh, std::function<std::string()> note)
      : metrics_(metrics), refresh_(std::move(refresh)), note_(std::move(note)) {}

  void set_ready(bool ready) { ready_.store(ready, std::memory_order_release); }
  Task<void> handle(http::Exchange& exchange) override;

 private:
  http::Response answer(std::string_view path) const;

  Metrics& metrics_;
  std::function<void()> refresh_;
  std::function<std::string()> note_;
  std::atomic<bool> ready_{false};
};

}  // namespace weft::app
