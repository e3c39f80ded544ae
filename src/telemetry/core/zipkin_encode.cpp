#include "telemetry/core/zipkin_encode.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "base/json_writer.h"

namespace weft::telemetry {

namespace {

using Attributes = std::vector<AttributeView>;

std::string_view value_of(const Attributes& attributes, std::string_view key) {
  auto found = std::ranges::find(attributes, key, &AttributeView::first);
  return found == attributes.end() ? std::string_view() : found->second;
}

// Zipkin has no word for what happens within a service.
std::string_view zipkin_kind(SpanKind kind) {
  switch (kind) {
    case SpanKind::Internal:
      return {};
    case SpanKind::Server:
      return "SERVER";
    case SpanKind::Client:
      return "CLIENT";
    case SpanKind::Producer:
      return "PRODUCER";
    case SpanKind::Consumer:
      return "CONSUMER";
  }
  return {};
}

std::int64_t microseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

// The called one, in the spans of those that call.
void write_remote(JsonWriter& out, const SpanView& span, const Attributes& attributes) {
  if (span.kind != SpanKind::Client && span.kind != SpanKind::Producer) return;
  auto name = value_of(attributes, "peer.service");
  if (name.empty()) name = value_of(attributes, "server.address");
  if (name.empty()) return;
  out.key("remoteEndpoint").object().member("serviceName", name);
  const auto text = value_of(attributes, "server.port");
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error == std::errc() && end == text.data() + text.size() && port > 0)
    out.member("port", port);
  out.end();
}

// That there is a tag "error" says that the span failed, whatever its value.
std::string_view error_of(const Attributes& attributes) {
  for (auto key : {"error", "error.type", "exception.message"}) {
    if (auto value = value_of(attributes, key); !value.empty() && value != "false") return value;
  }
  return "true";
}

void write_tags(JsonWriter& out, const SpanView& span, const Attributes& attributes) {
  out.key("tags").object();
  for (auto at = attributes.begin(); at != attributes.end(); ++at) {
    if (at->first == "service.name" || at->first == "error") continue;
    const bool is_repeated =
        std::ranges::find(attributes.begin(), at, at->first, &AttributeView::first) != at;
    if (!is_repeated) out.member(at->first, at->second);
  }
  if (span.failed) out.member("error", error_of(attributes));
  out.end();
}

void write_span(JsonWriter& out, const SpanView& span, const Attributes& attributes,
                std::string_view service) {
  const auto own_service = value_of(attributes, "service.name");
  out.object();
  out.member("traceId", to_hex({span.context.trace_id.data(), span.context.trace_id.size()}));
  out.member("id", to_hex({span.context.span_id.data(), span.context.span_id.size()}));
  if (span.parent_id != std::array<char, 8>{})
    out.member("parentId", to_hex({span.parent_id.data(), span.parent_id.size()}));
  if (auto kind = zipkin_kind(span.kind); !kind.empty()) out.member("kind", kind);
  out.member("name", span.name);
  out.member("timestamp", microseconds(span.start.time_since_epoch()));
  // Zero would be "not known".
  out.member("duration", std::max<std::int64_t>(microseconds(span.end - span.start), 1));
  out.key("localEndpoint").object();
  out.member("serviceName", own_service.empty() ? service : own_service).end();
  write_remote(out, span, attributes);
  write_tags(out, span, attributes);
  out.end();
}

}  // namespace

std::string zipkin_spans_json(std::span<const SpanSlice> spans, std::string_view service) {
  JsonWriter out;
  out.array();
  Attributes attributes;
  for (const auto& slice : spans) {
    for (auto i = slice.first; i < slice.last; ++i) {
      const auto span = slice.chunk->view(i, attributes);
      write_span(out, span, attributes, service);
    }
  }
  out.end();
  return std::move(out).text();
}

}  // namespace weft::telemetry
