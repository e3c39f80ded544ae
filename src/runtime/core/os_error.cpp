#include "runtime/core/os_error.h"

#include <cerrno>
#include <system_error>

namespace weft {

ErrorCode code_of_errno(int error) {
  switch (error) {
    case ENOENT:
      return ErrorCode::NotFound;
    case EEXIST:
      return ErrorCode::AlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::PermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ErrorCode::ResourceExhausted;
    case ENOTDIR:
    case EISDIR:
    case ENOTEMPTY:
    case EXDEV:
      return ErrorCode::FailedPrecondition;
    case EINVAL:
    case ELOOP:
    case ENAMETOOLONG:
      return ErrorCode::InvalidArgument;
    default:
      return ErrorCode::IoError;
  }
}

Failure os_failure(int error, std::string_view action, std::string_view subject) {
  return fail(code_of_errno(error), "cannot {} {}: {}", action, subject,
              std::generic_category().message(error));
}

}  // namespace weft
