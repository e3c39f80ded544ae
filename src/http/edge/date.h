// The Date field's text, made once per second and thread.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"

namespace weft::http {

// Valid until the thread's next call.
inline std::string_view http_date(WallTime now) {
  thread_local std::chrono::sys_seconds second{};
  thread_local std::string text;
  auto current = std::chrono::floor<std::chrono::seconds>(now);
  if (current != second || text.empty()) {
    second = current;
    text = to_http_date(current);
  }
  return text;
}

}  // namespace weft::http
