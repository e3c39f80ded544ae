#include "eventlog/event_log.h"

#include <algorithm>

namespace weft::eventlog {

std::optional<std::string_view> Record::header(std::string_view name) const {
  for (auto at = headers.rbegin(); at != headers.rend(); ++at) {
    if (at->first == name) return at->second;
  }
  return std::nullopt;
}

}  // namespace weft::eventlog
