#include <algorithm>
#include <charconv>

#include "http/characters.h"
#include "http/client.h"

namespace weft::http {

namespace {

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

// An IPv6 address stands in brackets (RFC 3986 section 3.2.2).
void append_host(std::string& out, std::string_view host) {
  bool is_v6 = host.contains(':');
  if (is_v6) out += '[';
  out += host;
  if (is_v6) out += ']';
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  auto unreadable = [text](std::string_view why) {
    return fail(ErrorCode::InvalidArgument, "\"{}\" is not an http or https URL: {}", text, why);
  };
  Url url;
  auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return unreadable("no scheme");
  auto scheme = text.substr(0, scheme_end);
  url.tls = equals_lower(scheme, "https");
  if (!url.tls && !equals_lower(scheme, "http")) return unreadable("another scheme");
  auto rest = text.substr(scheme_end + 3);
  auto path = rest.find_first_of("/?#");
  auto authority = rest.substr(0, path);
  auto target = path == std::string_view::npos ? std::string_view() : rest.substr(path);
  target = target.substr(0, target.find('#'));
  if (authority.contains('@')) return unreadable("user information");
  auto port = std::string_view();
  if (authority.starts_with('[')) {
    auto end = authority.find(']');
    if (end == std::string_view::npos) return unreadable("a bracket is open");
    url.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
    bool is_v6 = std::ranges::all_of(url.host, [](char c) { return is_host_char(c) || c == ':'; });
    if (!is_v6 || !url.host.contains(':')) return unreadable("a bad address");
  } else {
    auto colon = authority.find(':');
    url.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon);
    if (!std::ranges::all_of(url.host, is_host_char)) return unreadable("a bad host");
  }
  if (url.host.empty()) return unreadable("no host");
  url.port = url.tls ? 443 : 80;
  if (!port.empty()) {
    port.remove_prefix(1);
    auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (error != std::errc() || end != port.data() + port.size() || url.port == 0) {
      return unreadable("a bad port");
    }
  }
  if (!std::ranges::all_of(target, is_target_char))
    return unreadable("a bad character in the path");
  url.target = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
  return url;
}

std::string Url::authority() const {
  std::string out;
  append_host(out, host);
  if (port != (tls ? 443 : 80)) out.append(1, ':').append(std::to_string(port));
  return out;
}

std::string Url::origin() const {
  std::string out = tls ? "https://" : "http://";
  append_host(out, host);
  out.append(1, ':').append(std::to_string(port));
  return out;
}

}  // namespace weft::http
