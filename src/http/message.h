// HTTP messages as the server and the client see them (RFC 9110, RFC 9112). Views into a
// connection's buffer unless said otherwise. Values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ascii.h"

namespace weft::http {

struct Field {
  std::string_view name;  // as sent; compared without case
  std::string_view value;
};

// Whether a request may be sent again (RFC 9110 section 9.2.2).
bool is_idempotent(std::string_view method);

// How a body's end is known (RFC 9112 section 6.3).
enum class BodyFraming : std::uint8_t { None, Length, Chunked, UntilClose };

// The head of a request, parsed and checked: framing is unambiguous, field names are tokens, the
// target has no control characters. Smuggling ambiguities never get this far.
struct RequestHead {
  std::string_view method;
  std::string_view target;  // as sent
  std::string_view path;    // of the target, still percent-encoded; "*" for OPTIONS *
  std::string_view query;   // behind "?", without it
  std::string_view host;    // Host field or the authority of an absolute target
  std::span<const Field> fields;
  BodyFraming framing = BodyFraming::None;
  std::uint64_t content_length = 0;  // when framing is Length
  bool keep_alive = true;
  bool expects_continue = false;
  bool is_upgrade = false;
  std::uint8_t version_minor = 1;  // of HTTP/1

  // The first field of that name, or absent.
  std::optional<std::string_view> find(std::string_view name) const;
};

struct ResponseHead {
  int status = 200;
  std::span<const Field> fields;
  BodyFraming framing = BodyFraming::None;
  std::uint64_t content_length = 0;
  bool keep_alive = true;

  std::optional<std::string_view> find(std::string_view name) const;
};

std::string_view reason_phrase(int status);

// A whole response that owns its bytes: what most handlers return.
struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>>
      fields;  // without Content-Length, Connection, Date
  std::string body;

  Response() = default;
  Response(int code, std::string content_type, std::string content);
  Response& add(std::string name, std::string value);
};

// The one error body (architecture, "Conventions that users meet"): traceId, code, message,
// details, valid as RFC 9457 problem details, content type application/problem+json. `details_json`
// is a JSON text or empty.
Response problem(int status, std::string_view code, std::string_view message,
                 std::string_view trace_id_hex, std::string_view details_json = {});

// A query string or form body split at "&" and "=", percent-decoded ("+" is a space).
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query);
// Percent-decoding of a path segment; absent when malformed.
std::optional<std::string> percent_decode(std::string_view text);
std::string percent_encode(std::string_view text);

}  // namespace weft::http
