#include "app/api/call.h"

#include <charconv>

#include "base/bytes.h"

namespace weft::app {

std::string ApiCall::confined_to() const {
  return principal->scope == identity::TenantScope::All ? std::string() : principal->tenant;
}

std::optional<std::string_view> ApiCall::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

Result<std::optional<std::int64_t>> ApiCall::integer(std::string_view name, std::int64_t least,
                                                     std::int64_t most) const {
  auto text = parameter(name);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < least ||
      number > most) {
    return fail(ErrorCode::InvalidArgument, "?{}= must be a whole number from {} to {}, not '{}'",
                name, least, most, *text);
  }
  return number;
}

Result<bool> ApiCall::flag(std::string_view name) const {
  auto text = parameter(name);
  if (!text || *text == "false") return false;
  if (*text == "true" || text->empty()) return true;
  return fail(ErrorCode::InvalidArgument, "?{}= must be true or false, not '{}'", name, *text);
}

Result<std::size_t> ApiCall::limit() const {
  TRY(auto given, integer("limit", 1, 500));
  return static_cast<std::size_t>(given.value_or(50));
}

http::Response json_answer(JsonWriter body, int status) {
  return http::Response(status, "application/json", std::move(body).text());
}

int http_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument:
      return 400;
    case ErrorCode::NotFound:
      return 404;
    case ErrorCode::AlreadyExists:
      return 409;
    case ErrorCode::Conflict:
      return 409;
    case ErrorCode::FailedPrecondition:
      return 422;
    case ErrorCode::Unauthenticated:
      return 401;
    case ErrorCode::PermissionDenied:
      return 403;
    case ErrorCode::ResourceExhausted:
      return 429;
    case ErrorCode::OutOfRange:
      return 416;
    case ErrorCode::Unavailable:
      return 503;
    case ErrorCode::DeadlineExceeded:
      return 504;
    case ErrorCode::Cancelled:
      return 503;
    case ErrorCode::Unsupported:
      return 501;
    case ErrorCode::DataLoss:
      return 500;
    case ErrorCode::IoError:
      return 500;
    case ErrorCode::Internal:
      return 500;
  }
  return 500;
}

http::Response problem_of(const Error& error, const TraceContext& trace) {
  return http::problem(http_status(error.code), name(error.code), error.message,
                       trace.trace_id_hex());
}

Result<std::optional<WallTime>> read_moment(const ApiCall& call, std::string_view name,
                                            WallTime now) {
  auto text = call.parameter(name);
  if (!text || text->empty()) return std::nullopt;
  if (auto ago = parse_duration(*text)) return std::optional<WallTime>(now - *ago);
  auto moment = parse_rfc3339(*text);
  if (moment) return std::optional<WallTime>(*moment);
  return fail(
      ErrorCode::InvalidArgument,
      "?{}= must be a time such as 2026-03-01T12:00:00Z or a duration such as 15m, not '{}'", name,
      *text);
}

std::string make_cursor(std::string_view position) {
  return to_base64url(position);
}

Result<std::string> read_cursor(const ApiCall& call) {
  auto text = call.parameter("cursor");
  if (!text) return std::string();
  auto position = from_base64url(*text);
  if (!position) return fail(ErrorCode::InvalidArgument, "?cursor= is not one that a list gave");
  return position;
}

}  // namespace weft::app
