// The text of server-sent events (WHATWG HTML, section 9.2): an event with its CloudEvent as data,
// and the id by which a listener resumes. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventlog/types.h"

namespace weft::eventlog {

// Where a listener stands: "<partition>:<offset of the last event>", joined by commas. A partition
// of which nothing was sent has the offset before its first.
std::string position_text(const std::vector<std::int32_t>& partitions,
                          const std::vector<Offset>& next);
struct ListenerPosition {
  std::int32_t partition = 0;
  Offset next = 0;
};
// Absent for a text that is no position.
std::optional<std::vector<ListenerPosition>> parse_position(std::string_view text);

void append_event(std::string& out, std::string_view id, std::string_view data);

}  // namespace weft::eventlog
