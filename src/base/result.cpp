#include "base/result.h"

#include <cstdio>
#include <cstdlib>

namespace weft {

std::string_view name(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument:
      return "INVALID_ARGUMENT";
    case ErrorCode::NotFound:
      return "NOT_FOUND";
    case ErrorCode::AlreadyExists:
      return "ALREADY_EXISTS";
    case ErrorCode::Conflict:
      return "CONFLICT";
    case ErrorCode::FailedPrecondition:
      return "FAILED_PRECONDITION";
    case ErrorCode::Unauthenticated:
      return "UNAUTHENTICATED";
    case ErrorCode::PermissionDenied:
      return "PERMISSION_DENIED";
    case ErrorCode::ResourceExhausted:
      return "RESOURCE_EXHAUSTED";
    case ErrorCode::OutOfRange:
      return "OUT_OF_RANGE";
    case ErrorCode::Unavailable:
      return "UNAVAILABLE";
    case ErrorCode::DeadlineExceeded:
      return "DEADLINE_EXCEEDED";
    case ErrorCode::Cancelled:
      return "CANCELLED";
    case ErrorCode::Unsupported:
      return "UNSUPPORTED";
    case ErrorCode::DataLoss:
      return "DATA_LOSS";
    case ErrorCode::IoError:
      return "IO_ERROR";
    case ErrorCode::Internal:
      return "INTERNAL";
  }
  return "INTERNAL";
}

void ensure_failed(const char* condition, const char* promise, const char* file, int line) {
  std::fprintf(stderr, "weft: broken promise: %s (%s) at %s:%d\n", promise, condition, file, line);
  std::abort();
}

}  // namespace weft
