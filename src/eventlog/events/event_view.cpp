#include "eventlog/events/event_view.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/json_writer.h"
#include "base/time.h"
#include "eventlog/events/cloud_event.h"

namespace weft::eventlog {

namespace {

constexpr std::string_view kJson = "application/json";

std::string_view media_type(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  while (!type.empty() && (type.front() == ' ' || type.front() == '\t')) type.remove_prefix(1);
  return type;
}

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() &&
         equals_ignoring_case(text.substr(text.size() - end.size()), end);
}

bool looks_like_json(std::string_view data) {
  auto first = data.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos &&
         std::string_view("{[\"-0123456789tfn").contains(data[first]);
}

// Kafka producers may name a header anything; only what CloudEvents allows goes on.
bool is_attribute_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool is_text_type(std::string_view content_type) {
  auto type = media_type(content_type);
  return (type.size() > 5 && is_media_type(type.substr(0, 5), "text/")) ||
         ends_with_ignoring_case(type, "xml");
}

}  // namespace

bool is_media_type(std::string_view content_type, std::string_view type) {
  return equals_ignoring_case(media_type(content_type), type);
}

bool is_json_type(std::string_view content_type) {
  auto type = media_type(content_type);
  return is_media_type(type, kJson) || is_media_type(type, "text/json") ||
         ends_with_ignoring_case(type, "+json");
}

EventView::EventView(const Record& record, std::string_view stream, std::int32_t partition)
    : record_(record), stream_(stream), partition_(partition) {
  auto declared = record.header(kContentTypeHeader);
  if (!declared || !is_media_type(*declared, kStructuredType) || !record.value) return;
  auto document = JsonDocument::parse(*record.value);
  if (!document) return;
  auto event = event_from_json(document->root());
  if (!event) return;
  parsed_ = std::move(event->attributes);
  if (event->data_content_type) {
    parsed_.emplace_back("datacontenttype", std::move(*event->data_content_type));
  }
  parsed_data_ = std::move(event->data);
  document_ = std::move(*document);
}

std::optional<std::string_view> EventView::synthesised(std::string_view name) const {
  if (name == "specversion") return "1.0";
  auto made_once = [](std::string& text, auto make) -> std::string_view {
    if (text.empty()) text = make();
    return text;
  };
  if (name == "id") return made_once(offset_, [&] { return std::to_string(record_.offset); });
  if (name == "type") return stream_;
  if (name == "time") return made_once(time_, [&] { return to_rfc3339(record_.timestamp); });
  if (name == "source") {
    return made_once(source_, [&] { return fmt::format("/streams/{}/{}", stream_, partition_); });
  }
  if (name == "partitionkey" && record_.key && !record_.key->empty() && is_utf8(*record_.key)) {
    return *record_.key;
  }
  return std::nullopt;
}

std::optional<std::string_view> EventView::attribute(std::string_view name) const {
  if (is_structured()) {
    auto at = std::ranges::find(parsed_, name, &std::pair<std::string, std::string>::first);
    if (at != parsed_.end()) return at->second;
    return synthesised(name);
  }
  if (name == "datacontenttype") return record_.header(kContentTypeHeader);
  for (auto header = record_.headers.rbegin(); header != record_.headers.rend(); ++header) {
    std::string_view key = header->first;
    if (key.starts_with(kEventHeaderPrefix) && key.substr(kEventHeaderPrefix.size()) == name) {
      if (!header->second.empty()) return header->second;
      break;
    }
  }
  return synthesised(name);
}

void EventView::each(
    const std::function<void(std::string_view name, std::string_view value)>& visit) const {
  constexpr std::string_view kAlways[] = {"specversion", "id",   "source",
                                          "type",        "time", "partitionkey"};
  for (auto name : kAlways) {
    if (auto value = attribute(name)) visit(name, *value);
  }
  auto is_new = [&](std::string_view name) {
    return std::ranges::find(kAlways, name) == std::end(kAlways) && name != "datacontenttype";
  };
  for (const auto& [name, value] : parsed_) {
    if (is_new(name)) visit(name, value);
  }
  if (is_structured()) return;
  for (std::size_t i = 0; i < record_.headers.size(); ++i) {
    std::string_view name = record_.headers[i].first;
    if (!name.starts_with(kEventHeaderPrefix)) continue;
    name.remove_prefix(kEventHeaderPrefix.size());
    const auto& value = record_.headers[i].second;
    auto is_last = std::none_of(
        record_.headers.begin() + static_cast<std::ptrdiff_t>(i) + 1, record_.headers.end(),
        [&](const auto& later) { return later.first == record_.headers[i].first; });
    if (is_last && is_attribute_name(name) && is_new(name) && !value.empty() && is_utf8(value)) {
      visit(name, value);
    }
  }
}

std::optional<std::string_view> EventView::data() const {
  if (is_structured()) return parsed_data_;
  return record_.value;
}

std::string_view EventView::data_content_type() const {
  if (auto declared = attribute("datacontenttype"); declared && is_printable(*declared)) {
    return *declared;
  }
  auto bytes = data();
  return bytes && looks_like_json(*bytes) ? kJson : "application/octet-stream";
}

std::string EventView::structured_json() const {
  if (is_structured()) return *record_.value;
  constexpr std::size_t kAttributesTypical = 512;
  auto bytes = data();
  std::string buffer;
  buffer.reserve(kAttributesTypical + (bytes ? bytes->size() : 0));
  JsonWriter out(std::move(buffer));
  out.object();
  each([&](std::string_view name, std::string_view value) { out.member(name, value); });
  if (bytes) {
    auto type = data_content_type();
    bool is_json = is_json_type(type) && weft::is_json(*bytes);  // refuses what is no UTF-8
    if (is_json || attribute("datacontenttype")) out.member("datacontenttype", type);
    if (is_json) {
      out.key("data").raw(*bytes);
    } else if (is_text_type(type) && is_utf8(*bytes)) {
      out.member("data", *bytes);
    } else {
      out.member("data_base64", to_base64(*bytes));
    }
  }
  out.end();
  return std::move(out).text();
}

}  // namespace weft::eventlog
