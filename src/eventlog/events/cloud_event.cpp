#include "eventlog/events/cloud_event.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/time.h"
#include "eventlog/events/event_view.h"

namespace weft::eventlog {

namespace {

using Attributes = std::vector<std::pair<std::string, std::string>>;

std::unexpected<EventIssue> issue(std::string_view attribute, std::string message) {
  return std::unexpected(EventIssue{std::string(attribute), std::move(message), std::nullopt});
}

bool is_control(unsigned char c) {
  return c < 0x20 || c == 0x7f;
}

// URI-reference as RFC 3986 spells it, as far as characters go: a parser of its parts would refuse
// nothing that matters to an opaque identifier.
bool is_uri_reference(std::string_view text) {
  return !text.empty() && std::ranges::none_of(text, [](char c) {
    return is_control(static_cast<unsigned char>(c)) ||
           std::string_view(" <>\"{}|\\^`").contains(c);
  });
}

bool is_absolute_uri(std::string_view text) {
  auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || !is_uri_reference(text)) return false;
  return std::isalpha(static_cast<unsigned char>(text.front())) != 0 &&
         std::ranges::all_of(text.substr(0, colon), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' ||
                  c == '.';
         });
}

bool is_attribute_name(std::string_view name, const EventLimits& limits) {
  return !name.empty() && name.size() <= limits.name_bytes_max &&
         std::ranges::all_of(
             name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

std::optional<std::string> value_problem(std::string_view name, std::string_view value) {
  if (value.empty()) return "must not be empty";
  if (!is_utf8(value)) return "must be UTF-8";
  if (std::ranges::any_of(value,
                          [](char c) { return is_control(static_cast<unsigned char>(c)); })) {
    return "must not contain control characters";
  }
  if (name == "source" && !is_uri_reference(value)) return "must be a URI-reference (RFC 3986)";
  if (name == "dataschema" && !is_absolute_uri(value)) return "must be an absolute URI (RFC 3986)";
  if (name == "time" && !parse_rfc3339(value)) return "must be a timestamp as RFC 3339 writes it";
  if (name == "specversion" && value != "1.0")
    return "must be 1.0, the only version that Weft speaks";
  return std::nullopt;
}

EventResult<std::string> attribute_text(std::string_view name, const Json& value) {
  switch (value.type()) {
    case Json::Type::String:
      return std::string(value.as_string());
    case Json::Type::True:
      return "true";
    case Json::Type::False:
      return "false";
    case Json::Type::Number:
      if (auto number = value.as_int64(); number && *number >= INT32_MIN && *number <= INT32_MAX) {
        return std::to_string(*number);
      }
      return issue(name, "must be a whole number of 32 bits, or a string");
    case Json::Type::Null:
    case Json::Type::Array:
    case Json::Type::Object:
      break;
  }
  return issue(name, "must be a string, a boolean or a whole number, not an object or array");
}

struct JsonData {
  std::optional<std::string> type;
  const Json* data = nullptr;
  const Json* base64 = nullptr;
};

EventResult<std::optional<std::string>> data_bytes(const JsonData& parts) {
  if (parts.data != nullptr && parts.base64 != nullptr) {
    return issue("data_base64", "must not stand beside data");
  }
  if (parts.base64 != nullptr) {
    if (!parts.base64->is_string()) return issue("data_base64", "must be a string");
    auto bytes = from_base64(parts.base64->as_string());
    if (!bytes) return issue("data_base64", "must be Base64 (RFC 4648)");
    return std::move(*bytes);
  }
  if (parts.data == nullptr) return std::nullopt;
  // JSON format 1.0.2 section 3.1: data of another media type travels as a JSON string.
  bool is_text = parts.data->is_string() && parts.type && !is_json_type(*parts.type);
  return std::string(is_text ? parts.data->as_string() : parts.data->raw());
}

}  // namespace

std::string EventIssue::text() const {
  auto where = index ? fmt::format("events[{}]: ", *index) : std::string();
  return fmt::format("{}{}{}{}", where, attribute, attribute.empty() ? "" : " ", message);
}

const std::string* CloudEvent::find(std::string_view name) const {
  auto at = std::ranges::find(attributes, name, &std::pair<std::string, std::string>::first);
  return at == attributes.end() ? nullptr : &at->second;
}

EventResult<CloudEvent> make_event(Attributes attributes,
                                   std::optional<std::string> data_content_type,
                                   std::optional<std::string> data, const EventLimits& limits) {
  if (attributes.size() > limits.attributes_max) {
    return issue("", fmt::format("more than {} attributes", limits.attributes_max));
  }
  CloudEvent event;
  bool has_version = false;
  for (auto& [name, value] : attributes) {
    if (!is_attribute_name(name, limits)) {
      return issue(name, "is not an attribute name: lower-case letters and digits only");
    }
    if (value.size() > limits.attribute_bytes_max) {
      return issue(name, fmt::format("is longer than {} bytes", limits.attribute_bytes_max));
    }
    if (auto problem = value_problem(name, value)) return issue(name, std::move(*problem));
    if (event.find(name) != nullptr) return issue(name, "is given twice");
    if (name == "specversion") {
      has_version = true;
    } else {
      event.attributes.emplace_back(std::move(name), std::move(value));
    }
  }
  if (!has_version) return issue("specversion", "is required");
  for (std::string_view required : {"id", "source", "type"}) {
    if (event.find(required) == nullptr) return issue(required, "is required");
  }
  // A record with this content type is a whole event to every reader, and the attributes given here
  // would not be seen.
  if (data_content_type && (is_media_type(*data_content_type, kStructuredType) ||
                            is_media_type(*data_content_type, kBatchType))) {
    return issue("datacontenttype", "must not be that of CloudEvents themselves");
  }
  event.data_content_type = std::move(data_content_type);
  event.data = std::move(data);
  return event;
}

EventResult<CloudEvent> event_from_json(const Json& event, const EventLimits& limits) {
  if (!event.is_object()) return issue("", "an event is a JSON object");
  Attributes attributes;
  JsonData parts;
  for (const auto& member : event.members()) {
    // Absent and null mean the same (JSON format 1.0.2 section 2.2), but null is a value as data.
    if (member.key() == "data") parts.data = &member.value;
    if (member.key() == "data_base64") parts.base64 = &member.value;
    if (member.key() == "data" || member.key() == "data_base64" || member.value.is_null()) continue;
    auto text = attribute_text(member.key(), member.value);
    if (!text) return std::unexpected(std::move(text).error());
    if (member.key() != "datacontenttype") {
      attributes.emplace_back(member.key(), std::move(*text));
    } else if (auto problem = value_problem("datacontenttype", *text)) {
      return issue("datacontenttype", std::move(*problem));
    } else {
      parts.type = std::move(*text);
    }
  }
  auto data = data_bytes(parts);
  if (!data) return std::unexpected(std::move(data).error());
  if (*data && !parts.type && parts.base64 == nullptr) parts.type = "application/json";
  return make_event(std::move(attributes), std::move(parts.type), std::move(*data), limits);
}

NewRecord to_record(CloudEvent event) {
  NewRecord record;
  record.headers.reserve(event.attributes.size() + 2);
  record.headers.emplace_back("ce_specversion", "1.0");
  for (auto& [name, value] : event.attributes) {
    if (name == "partitionkey") record.key = value;
    record.headers.emplace_back(std::string(kEventHeaderPrefix) + name, std::move(value));
  }
  if (event.data_content_type) {
    record.headers.emplace_back(kContentTypeHeader, std::move(*event.data_content_type));
  }
  record.value = std::move(event.data);
  return record;
}

}  // namespace weft::eventlog
