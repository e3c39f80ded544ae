#include "gateway/core/forwarding.h"

#include "http/characters.h"
#include "http/head_writer.h"

namespace weft::gateway {

namespace {

using http::append_field;
using http::equals_lower;

bool is_connection(const http::Field& field) {
  return field.name.size() == 10 && equals_lower(field.name, "connection");
}

// Whether Connection names fields beyond the fixed list; mostly it does not.
bool has_extra_options(std::span<const http::Field> fields) {
  return std::ranges::any_of(fields, [](const http::Field& field) {
    return is_connection(field) && !equals_lower(field.value, "keep-alive") &&
           !equals_lower(field.value, "close");
  });
}

bool is_named_by_connection(std::span<const http::Field> fields, std::string_view name) {
  bool found = false;
  for (const auto& field : fields) {
    if (!is_connection(field)) continue;
    http::for_each_element(field.value, [&](std::string_view option) {
      found = found || equals_ignoring_case(option, name);
    });
  }
  return found;
}

bool is_hop_by_hop(std::string_view name) {
  switch (name.size()) {
    case 2:
      return equals_lower(name, "te");
    case 7:
      return equals_lower(name, "trailer") || equals_lower(name, "upgrade");
    case 10:
      return equals_lower(name, "connection") || equals_lower(name, "keep-alive");
    case 16:
      return equals_lower(name, "proxy-connection");
    case 17:
      return equals_lower(name, "transfer-encoding");
    case 18:
      return equals_lower(name, "proxy-authenticate");
    case 19:
      return equals_lower(name, "proxy-authorization");
    default:
      return false;
  }
}

bool is_forwarded_for(const http::Field& field) {
  return field.name.size() == 15 && equals_lower(field.name, "x-forwarded-for");
}

// Fields that the gateway writes anew.
bool is_replaced(std::string_view name) {
  if (name.size() > 7 && (name[0] | 0x20) == 'x' && equals_lower(name.substr(0, 7), "x-weft-")) {
    return true;
  }
  switch (name.size()) {
    case 4:
      return equals_lower(name, "host");
    case 6:
      return equals_lower(name, "expect");
    case 11:
      return equals_lower(name, "traceparent");
    case 14:
      return equals_lower(name, "content-length");
    case 15:
      return equals_lower(name, "x-forwarded-for");
    case 16:
      return equals_lower(name, "x-forwarded-host");
    case 17:
      return equals_lower(name, "x-forwarded-proto");
    default:
      return false;
  }
}

constexpr auto kHexPairs = [] {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t byte = 0; byte < pairs.size(); ++byte) {
    pairs[byte] = {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return pairs;
}();

char* put_hex(char* to, std::span<const char> bytes) {
  for (char c : bytes) {
    std::memcpy(to, kHexPairs[static_cast<unsigned char>(c)].data(), 2);
    to += 2;
  }
  return to;
}

}  // namespace

void append_traceparent(std::string& out, const TraceContext& trace) {
  std::array<char, 55> text{'0', '0', '-'};
  auto* at = put_hex(text.data() + 3, trace.trace_id);
  *at++ = '-';
  at = put_hex(at, trace.span_id);
  *at++ = '-';
  *at++ = '0';
  *at = trace.sampled ? '1' : '0';
  out.append(text.data(), text.size());
}

void append_request_head(std::string& out, const http::RequestHead& head, const ForwardedFor& added,
                         RequestBody body) {
  out += head.method;
  out += ' ';
  out += added.base_path;
  out += head.path;
  if (!head.query.empty()) {
    out += '?';
    out += head.query;
  }
  out += " HTTP/1.1\r\n";
  http::append_parsed_field(out, "Host", added.host);
  bool has_extra = has_extra_options(head.fields);
  bool was_forwarded = false;
  for (const auto& field : head.fields) {
    if (is_replaced(field.name)) {
      was_forwarded = was_forwarded || is_forwarded_for(field);
    } else if (!is_hop_by_hop(field.name) &&
               !(has_extra && is_named_by_connection(head.fields, field.name))) {
      http::append_parsed_field(out, field.name, field.value);
    }
  }
  out += "X-Forwarded-For: ";
  for (const auto& field : head.fields) {
    if (!was_forwarded || !is_forwarded_for(field)) continue;
    out += field.value;
    out += ", ";
  }
  out += added.client;
  out += "\r\nX-Forwarded-Proto: ";
  out += added.proto;
  out += "\r\n";
  http::append_parsed_field(out, "X-Forwarded-Host", head.host);
  if (added.trace != nullptr) {
    out += "traceparent: ";
    append_traceparent(out, *added.trace);
    out += "\r\n";
  }
  if (head.is_upgrade) {
    out += "Connection: Upgrade\r\n";
    append_field(out, "Upgrade", head.find("upgrade").value_or(""));
  }
  if (body == RequestBody::Length) append_field(out, "Content-Length", head.content_length);
  if (body == RequestBody::Chunked) out += "Transfer-Encoding: chunked\r\n";
  out += "\r\n";
}

void collect_response_fields(const http::ResponseHead& head, std::vector<http::Field>& out) {
  out.clear();
  bool has_extra = has_extra_options(head.fields);
  for (const auto& field : head.fields) {
    if (is_hop_by_hop(field.name)) continue;
    if (has_extra && is_named_by_connection(head.fields, field.name)) continue;
    out.push_back(field);
  }
}

}  // namespace weft::gateway
