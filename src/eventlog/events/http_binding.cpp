#include "eventlog/events/http_binding.h"

#include <algorithm>

#include "base/ascii.h"

namespace weft::eventlog {

namespace {

constexpr std::string_view kFieldPrefix = "ce-";

std::string_view find(std::span<const http::Field> fields, std::string_view name) {
  for (const auto& field : fields) {
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

bool is_event_field(std::string_view name) {
  return name.size() > kFieldPrefix.size() &&
         equals_ignoring_case(name.substr(0, kFieldPrefix.size()), kFieldPrefix);
}

std::unexpected<EventIssue> whole(std::string message) {
  return std::unexpected(EventIssue{"", std::move(message), std::nullopt});
}

EventResult<CloudEvent> from_binary(std::span<const http::Field> fields, std::string_view body,
                                    const EventLimits& limits) {
  std::vector<std::pair<std::string, std::string>> attributes;
  for (const auto& field : fields) {
    if (!is_event_field(field.name)) continue;
    attributes.emplace_back(lower_case(field.name.substr(kFieldPrefix.size())),
                            decode_field_value(field.value));
  }
  std::optional<std::string> type;
  if (auto declared = find(fields, "content-type"); !declared.empty()) type = std::string(declared);
  std::optional<std::string> data;
  if (!body.empty()) data = std::string(body);
  return make_event(std::move(attributes), std::move(type), std::move(data), limits);
}

EventResult<std::vector<CloudEvent>> from_batch(const Json& root, const EventLimits& limits) {
  if (!root.is_array()) return whole("a batch is a JSON array of events");
  if (root.size() == 0) return whole("the batch holds no event");
  if (root.size() > limits.batch_max) {
    return whole(fmt::format("the batch holds more than {} events", limits.batch_max));
  }
  std::vector<CloudEvent> events;
  events.reserve(root.size());
  for (const auto& element : root.elements()) {
    auto event = event_from_json(element, limits);
    if (!event) {
      auto issue = std::move(event).error();
      issue.index = events.size();
      return std::unexpected(std::move(issue));
    }
    events.push_back(std::move(*event));
  }
  return events;
}

}  // namespace

std::optional<ContentMode> content_mode(std::span<const http::Field> fields) {
  auto type = find(fields, "content-type");
  if (is_media_type(type, kStructuredType)) return ContentMode::Structured;
  if (is_media_type(type, kBatchType)) return ContentMode::Batched;
  // Any ce- field shows the intention; a missing ce-specversion is then reported as such.
  bool is_binary =
      std::ranges::any_of(fields, [](const auto& f) { return is_event_field(f.name); });
  return is_binary ? std::optional(ContentMode::Binary) : std::nullopt;
}

EventResult<std::vector<CloudEvent>> events_from_http(ContentMode mode,
                                                      std::span<const http::Field> fields,
                                                      std::string_view body,
                                                      const EventLimits& limits) {
  std::vector<CloudEvent> events;
  if (mode == ContentMode::Binary) {
    auto event = from_binary(fields, body, limits);
    if (!event) return std::unexpected(std::move(event).error());
    events.push_back(std::move(*event));
    return events;
  }
  auto document = JsonDocument::parse(std::string(body));
  if (!document) return whole("the body is not JSON: " + document.error().message);
  if (mode == ContentMode::Batched) return from_batch(document->root(), limits);
  auto event = event_from_json(document->root(), limits);
  if (!event) return std::unexpected(std::move(event).error());
  events.push_back(std::move(*event));
  return events;
}

std::vector<std::pair<std::string, std::string>> binary_fields(const EventView& event) {
  std::vector<std::pair<std::string, std::string>> fields;
  event.each([&](std::string_view name, std::string_view value) {
    fields.emplace_back(std::string(kFieldPrefix).append(name), encode_field_value(value));
  });
  if (event.data()) fields.emplace_back(kContentTypeHeader, event.data_content_type());
  return fields;
}

std::string encode_field_value(std::string_view value) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(value.size());
  for (char c : value) {
    auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '"' && c != '%') {
      out.push_back(c);
      continue;
    }
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

std::string decode_field_value(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    auto is_encoded = value[i] == '%' && i + 2 < value.size() && hex_digit(value[i + 1]) >= 0 &&
                      hex_digit(value[i + 2]) >= 0;
    if (!is_encoded) {
      out.push_back(value[i]);
      continue;
    }
    out.push_back(static_cast<char>(hex_digit(value[i + 1]) * 16 + hex_digit(value[i + 2])));
    i += 2;
  }
  return out;
}

}  // namespace weft::eventlog
