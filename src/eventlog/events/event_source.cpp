#include "eventlog/events/event_source.h"

#include <fmt/format.h>

#include <charconv>

namespace weft::eventlog {

namespace {

template <class T>
bool take_number(std::string_view& text, T& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string position_text(const std::vector<std::int32_t>& partitions,
                          const std::vector<Offset>& next) {
  std::string out;
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "{}{}:{}", i == 0 ? "" : ",", partitions[i],
                   next[i] - 1);
  }
  return out;
}

std::optional<std::vector<ListenerPosition>> parse_position(std::string_view text) {
  std::vector<ListenerPosition> out;
  do {
    ListenerPosition position;
    Offset last = 0;
    if (!take_number(text, position.partition) || !take(text, ':') || !take_number(text, last))
      return std::nullopt;
    if (position.partition < 0 || last < -1 || last == INT64_MAX) return std::nullopt;
    position.next = last + 1;
    out.push_back(position);
  } while (take(text, ','));
  if (!text.empty()) return std::nullopt;
  return out;
}

void append_event(std::string& out, std::string_view id, std::string_view data) {
  out.append("id: ").append(id).append("\n");
  // A line end inside of data would end the field; lines are joined again by the receiver.
  while (true) {
    auto end = data.find_first_of("\r\n");
    out.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == std::string_view::npos) break;
    auto is_crlf = data[end] == '\r' && end + 1 < data.size() && data[end + 1] == '\n';
    data.remove_prefix(end + (is_crlf ? 2 : 1));
  }
  out.append("\n");
}

}  // namespace weft::eventlog
