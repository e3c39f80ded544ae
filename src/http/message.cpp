#include "http/message.h"

#include "base/json_writer.h"
#include "http/characters.h"

namespace weft::http {

namespace {

std::optional<std::string_view> find_in(std::span<const Field> fields, std::string_view name) {
  for (const auto& field : fields) {
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return {};
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

}  // namespace

bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
         method == "OPTIONS" || method == "TRACE";
}

std::optional<std::string_view> RequestHead::find(std::string_view name) const {
  return find_in(fields, name);
}

std::optional<std::string_view> ResponseHead::find(std::string_view name) const {
  return find_in(fields, name);
}

Response::Response(int code, std::string content_type, std::string content)
    : status(code), body(std::move(content)) {
  if (!content_type.empty()) fields.emplace_back("Content-Type", std::move(content_type));
}

Response& Response::add(std::string name, std::string value) {
  fields.emplace_back(std::move(name), std::move(value));
  return *this;
}

Response problem(int status, std::string_view code, std::string_view message,
                 std::string_view trace_id_hex, std::string_view details_json) {
  JsonWriter out;
  out.object();
  out.member("type", "about:blank").member("title", reason_phrase(status)).member("status", status);
  out.member("traceId", trace_id_hex).member("code", code).member("message", message);
  if (!details_json.empty()) out.key("details").raw(details_json);
  out.end();
  return Response(status, "application/problem+json", std::move(out).text());
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!query.empty()) {
    auto end = query.find('&');
    auto part = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    if (part.empty()) continue;
    auto equals = part.find('=');
    auto name = part.substr(0, equals);
    auto value = equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    // What cannot be decoded is kept as it is: refusing it is up to whoever knows the parameter.
    out.emplace_back(decode(name, true).value_or(std::string(name)),
                     decode(value, true).value_or(std::string(value)));
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text) {
  return decode(text, false);
}

std::string percent_encode(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    bool is_unreserved = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                         (byte >= 'A' && byte <= 'Z') || c == '-' || c == '.' || c == '_' ||
                         c == '~';
    if (is_unreserved) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

}  // namespace weft::http
