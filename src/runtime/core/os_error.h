// The operating system's errno as an Error: what was tried, on what, and the system's own words.
#pragma once

#include <string_view>

#include "base/result.h"

namespace weft {

ErrorCode code_of_errno(int error);

// "cannot <action> <subject>: <text of errno>".
Failure os_failure(int error, std::string_view action, std::string_view subject);

}  // namespace weft
