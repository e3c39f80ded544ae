// Foreign bytes as a CloudEvent: no crash in any mode, and what is accepted keeps its required
// attributes through the log and back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "eventlog/events/event_source.h"
#include "eventlog/events/event_view.h"
#include "eventlog/events/http_binding.h"

namespace {

using namespace weft;
using namespace weft::eventlog;

void check_round_trip(CloudEvent event) {
  auto id = *event.find("id");
  auto type = *event.find("type");
  auto made = to_record(std::move(event));
  Record record;
  record.key = std::move(made.key);
  record.value = std::move(made.value);
  record.headers = std::move(made.headers);
  EventView view(record, "stream", 0);
  if (view.id() != id || view.type() != type) std::abort();
  auto text = view.structured_json();
  if (!JsonDocument::parse(text)) std::abort();
  auto fields = binary_fields(view);
  for (const auto& [name, value] : fields) {
    if (name.find_first_of("\r\n: ") != std::string::npos) std::abort();
    if (value.find_first_of("\r\n") != std::string::npos) std::abort();
  }
}

void check(EventResult<std::vector<CloudEvent>> events) {
  if (!events) {
    if (events.error().text().empty()) std::abort();
    return;
  }
  for (auto& event : *events) check_round_trip(std::move(event));
}

// "name: value" lines, an empty line, the body.
void check_binary(std::string_view input) {
  std::vector<http::Field> fields;
  while (!input.empty()) {
    auto end = input.find('\n');
    auto line = input.substr(0, end);
    input = end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
    if (line.empty()) break;
    auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    fields.push_back({line.substr(0, colon), line.substr(colon + 1)});
  }
  check(events_from_http(ContentMode::Binary, fields, input));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  check(events_from_http(ContentMode::Structured, {}, input));
  check(events_from_http(ContentMode::Batched, {}, input));
  check_binary(input);
  auto position = parse_position(input);
  if (position && position->empty()) std::abort();
  return 0;
}
