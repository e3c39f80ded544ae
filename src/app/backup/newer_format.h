// The refusal of a backup or archive whose format a later version wrote. A value; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "app/version.h"
#include "base/result.h"

namespace weft::app {

inline Failure newer_format(std::string_view what, std::int64_t format) {
  return fail(
      ErrorCode::FailedPrecondition,
      "{} has format {}, which this version ({}) does not read: use the version that wrote it",
      what, format, kVersion);
}

}  // namespace weft::app
