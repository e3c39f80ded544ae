#include "app/node/ops.h"

#include <algorithm>
#include <charconv>

#include "app/api/node_signature.h"

namespace weft::app {
namespace {

constexpr std::string_view kPrometheusText = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kOpenMetrics =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

std::string_view cut_at(std::string_view& rest, char separator) {
  auto part = rest.substr(0, rest.find(separator));
  rest.remove_prefix(std::min(part.size() + 1, rest.size()));
  return trimmed(part);
}

// One element of Accept (RFC 9110 section 12.5.1).
struct Accepted {
  std::string_view type;
  std::string_view version;
  double weight = 1;
};

Accepted read_accepted(std::string_view element) {
  Accepted accepted;
  accepted.type = cut_at(element, ';');
  while (!element.empty()) {
    auto parameter = cut_at(element, ';');
    if (parameter.starts_with("version=")) accepted.version = parameter.substr(8);
    if (!parameter.starts_with("q=")) continue;
    auto number = parameter.substr(2);
    auto read = std::from_chars(number.data(), number.data() + number.size(), accepted.weight);
    if (read.ec != std::errc()) accepted.weight = 0;
  }
  return accepted;
}

}  // namespace

// OpenMetrics is for those who name it and like it no less than plain text.
bool prefers_openmetrics(std::string_view accept) {
  double open = 0;
  double plain = 0;
  while (!accept.empty()) {
    auto accepted = read_accepted(cut_at(accept, ','));
    if (accepted.type == "application/openmetrics-text") {
      if (accepted.version.empty() || accepted.version == "1.0.0")
        open = std::max(open, accepted.weight);
    } else if (accepted.type == "text/plain" || accepted.type == "text/*" ||
               accepted.type == "*/*") {
      plain = std::max(plain, accepted.weight);
    }
  }
  return open > 0 && open >= plain;
}

std::string Ops::metrics_text(bool is_openmetrics) const {
  if (!is_openmetrics) return metrics_.prometheus_text() + parts_.more(false);
  constexpr std::string_view kEnd = "# EOF\n";
  auto text = metrics_.openmetrics_text();
  text.insert(text.size() - kEnd.size(), parts_.more(true));
  return text;
}

http::Response Ops::answer(const http::RequestHead& head) const {
  const auto& path = head.path;
  if (path == "/livez") return http::Response(200, "text/plain", "ok\n");
  if (path == "/readyz") {
    if (ready_.load(std::memory_order_acquire))
      return http::Response(200, "text/plain", "ready\n" + parts_.note());
    return http::Response(503, "text/plain", "not ready\n");
  }
  if (path == "/metrics") {
    parts_.refresh();
    const bool is_open = prefers_openmetrics(head.find("Accept").value_or(std::string_view()));
    http::Response response(200, std::string(is_open ? kOpenMetrics : kPrometheusText),
                            metrics_text(is_open));
    response.add("Vary", "Accept");
    return response;
  }
  return http::Response(404, "text/plain", "this listener has /livez, /readyz and /metrics\n");
}

Task<void> Ops::handle(http::Exchange& exchange) {
  const auto authorization = exchange.head().find("Authorization").value_or("");
  if (parts_.for_nodes != nullptr && authorization.starts_with(kNodeScheme)) {
    co_await parts_.for_nodes->handle(exchange);
    co_return;
  }
  auto response = answer(exchange.head());
  co_await exchange.respond(response);
}

}  // namespace weft::app
