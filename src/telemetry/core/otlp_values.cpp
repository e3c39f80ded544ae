#include "telemetry/core/otlp_values.h"

#include <algorithm>
#include <charconv>

namespace weft::telemetry {

namespace {

// Of OpenTelemetry's semantic conventions 1.27: the integer attributes that Weft's spans use.
constexpr std::string_view kIntegerKeys[] = {
    "client.port",
    "http.request.body.size",
    "http.request.resend_count",
    "http.response.body.size",
    "http.response.status_code",
    "messaging.batch.message_count",
    "messaging.kafka.offset",
    "messaging.message.body.size",
    "network.peer.port",
    "server.port",
};

}  // namespace

std::optional<std::int64_t> otlp_integer(std::string_view key, std::string_view text) {
  if (!std::ranges::binary_search(kIntegerKeys, key)) return {};
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end) return {};
  return number;
}

}  // namespace weft::telemetry
