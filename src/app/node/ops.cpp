#include "app/node/ops.h"

namespace weft::app {

http::Response Ops::answer(std::string_view path) const {
  if (path == "/livez") return http::Response(200, "text/plain", "ok\n");
  if (path == "/readyz") {
    if (ready_.load(std::memory_order_acquire)) return http::Response(200, "text/plain", "ready\n" + note_());
    return http::Response(503, "text/plain", "not ready\n");
  }
  if (path == "/metrics") {
    refresh_();
    return http::Response(200, "text/plain; version=0.0.4; charset=utf-8", metrics_.prometheus_text());
  }
  return http::Response(404, "text/plain", "this listener has /livez, /readyz and /metrics\n");
}

Task<void> Ops::handle(http::Exchange& exchange) {
  auto response = answer(exchange.head().path);
  co_await exchange.respond(response);
}

}  // namespace weft::app
