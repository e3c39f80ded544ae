// How failure travels: Result<T> is a value or an Error. Nothing here throws.
//
// Error codes are general; protocol codes (HTTP status, Kafka error) are chosen at the edge that
// speaks the protocol, in one switch without default. Context is added on the way up with
// Error::within().
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace weft {

enum class ErrorCode : std::uint8_t {
  InvalidArgument,     // the caller's input is wrong; retrying unchanged cannot help
  NotFound,            // the named thing does not exist
  AlreadyExists,       // the name or key is taken
  Conflict,            // another version, owner or payload than the caller expects
  FailedPrecondition,  // right request, wrong state of the system
  Unauthenticated,     // no credentials, or wrong ones
  PermissionDenied,    // known principal, not allowed
  ResourceExhausted,   // a named limit or quota is reached
  OutOfRange,          // an offset, position or page outside what exists
  Unavailable,         // may work later: connection refused, shutting down
  DeadlineExceeded,    // took longer than its limit
  Cancelled,           // given up on purpose
  Unsupported,         // understood, but not offered
  DataLoss,            // stored bytes are damaged
  IoError,             // the operating system refused
  Internal,            // our bug
};

std::string_view name(ErrorCode code);

// A failure for an operator to read: what, where, and how to mend it.
struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::Internal;
  std::string message;

  // The same failure seen from one level up: "context: message".
  Error within(std::string_view context) && {
    message = fmt::format("{}: {}", context, message);
    return std::move(*this);
  }
};

template <class T = void>
using Result = std::expected<T, Error>;

using Failure = std::unexpected<Error>;

inline Failure fail(ErrorCode code, std::string message) {
  return Failure(Error{code, std::move(message)});
}

template <class... Args>
requires(sizeof...(Args) > 0) Failure
    fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return Failure(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

[[noreturn]] void ensure_failed(const char* condition, const char* promise, const char* file,
                                int line);

}  // namespace weft

#define WEFT_CONCAT_(a, b) a##b
#define WEFT_CONCAT(a, b) WEFT_CONCAT_(a, b)
#define WEFT_TRY_AS_(temporary, keyword, declaration, ...)               \
  auto temporary = (__VA_ARGS__);                                        \
  if (!temporary) keyword std::unexpected(std::move(temporary).error()); \
  declaration = *std::move(temporary)
#define WEFT_CHECK_AS_(temporary, keyword, ...)   \
  if (auto temporary = (__VA_ARGS__); !temporary) \
  keyword std::unexpected(std::move(temporary).error())

// TRY(auto x, f());  declares x or returns the error. CHECK(f());  for Result<void>.
// CO_TRY and CO_CHECK are the same inside a coroutine.
#define TRY(declaration, ...) \
  WEFT_TRY_AS_(WEFT_CONCAT(try_result_, __LINE__), return, declaration, __VA_ARGS__)
#define CHECK(...) WEFT_CHECK_AS_(WEFT_CONCAT(check_result_, __LINE__), return, __VA_ARGS__)
#define CO_TRY(declaration, ...) \
  WEFT_TRY_AS_(WEFT_CONCAT(try_result_, __LINE__), co_return, declaration, __VA_ARGS__)
#define CO_CHECK(...) WEFT_CHECK_AS_(WEFT_CONCAT(check_result_, __LINE__), co_return, __VA_ARGS__)

// Our own bug, where going on would put stored data at stake: aborts, also in release.
#define ENSURE(condition, promise) \
  ((condition) ? void(0) : ::weft::ensure_failed(#condition, promise, __FILE__, __LINE__))
