#include "telemetry/core/otlp_values.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"

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

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Bytes of the well-formed sequence at the front; 0 when there is none.
std::size_t sequence_size(std::string_view text) {
  for (std::size_t size = 1; size <= 4 && size <= text.size(); ++size) {
    if (is_utf8(text.substr(0, size))) return size;
  }
  return 0;
}

}  // namespace

std::optional<std::int64_t> otlp_integer(std::string_view key, std::string_view text) {
  if (!std::ranges::binary_search(kIntegerKeys, key)) return {};
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end) return {};
  return number;
}

std::string_view otlp_text(std::string_view text, std::string& buffer) {
  if (is_utf8(text)) return text;
  buffer.clear();
  while (!text.empty()) {
    const auto size = sequence_size(text);
    buffer += size > 0 ? text.substr(0, size) : kReplacement;
    text.remove_prefix(size > 0 ? size : 1);
  }
  return buffer;
}

}  // namespace weft::telemetry
