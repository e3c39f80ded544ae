#include "app/api/record_json.h"

#include "base/bytes.h"
#include "runtime/spans.h"

namespace weft::app {
namespace {

// At most so many bytes, not inside a UTF-8 sequence.
std::string_view cut(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0) == 0x80) --bytes_max;
  return text.substr(0, bytes_max);
}

void write_value(JsonWriter& out, std::string_view value, std::size_t bytes_max) {
  out.member("valueBytes", value.size());
  auto is_text = is_utf8(value);
  auto shown = is_text ? cut(value, bytes_max) : value.substr(0, bytes_max);
  if (is_text)
    out.member("valueText", shown);
  else
    out.member("valueBase64", to_base64(shown));
  if (shown.size() < value.size()) out.member("valueCut", true);
}

void write_optional(JsonWriter& out, std::string_view name, std::optional<std::string_view> text) {
  if (text) out.member(name, shown_text(*text));
}

}  // namespace

std::string shown_text(std::string_view bytes) {
  return is_utf8(bytes) ? std::string(bytes) : "base64:" + to_base64(bytes);
}

void write_record(JsonWriter& out, std::int32_t partition, const eventlog::Record& record,
                  std::size_t value_bytes_max) {
  out.object()
      .member("partition", partition)
      .member("offset", record.offset)
      .member("timestamp", to_rfc3339(record.timestamp));
  out.key("key");
  if (record.key)
    out.value(shown_text(*record.key));
  else
    out.null();
  bool is_json = false;
  if (record.value) {
    write_value(out, *record.value, value_bytes_max);
    is_json = weft::is_json(*record.value);
  }
  out.member("json", is_json).key("headers").array();
  for (const auto& [name, value] : record.headers) {
    out.object().member("name", shown_text(name)).member("value", shown_text(value)).end();
  }
  out.end();
  if (auto traceparent = record.header("traceparent")) {
    if (auto trace = TraceContext::parse(*traceparent))
      out.member("traceId", trace->trace_id_hex());
  }
  write_optional(out, "eventId", record.header("ce_id"));
  write_optional(out, "eventType", record.header("ce_type"));
  write_optional(out, "eventSource", record.header("ce_source"));
  out.end();
}

}  // namespace weft::app
