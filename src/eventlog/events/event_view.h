// A stored record seen as a CloudEvent (CloudEvents 1.0.2, Kafka protocol binding 1.0.2).
// Attributes come from its ce_ headers and content-type (binary mode), or from its value when that
// is a whole event (structured mode, content-type application/cloudevents+json). What is missing is
// synthesised, so that every record is an event: id = offset, source =
// /streams/<stream>/<partition>, type = stream, time = timestamp, partitionkey = key.
//
// A view: the record and the stream name must outlive it. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "eventlog/event_log.h"

namespace weft::eventlog {

inline constexpr std::string_view kContentTypeHeader = "content-type";
inline constexpr std::string_view kEventHeaderPrefix = "ce_";
inline constexpr std::string_view kStructuredType = "application/cloudevents+json";
inline constexpr std::string_view kBatchType = "application/cloudevents-batch+json";

// The media type without parameters, e.g. "application/json" of "Application/JSON; charset=utf-8",
// is application/json, text/json or ends in +json.
bool is_json_type(std::string_view content_type);
// Whether the media type without parameters is `type`, compared without case.
bool is_media_type(std::string_view content_type, std::string_view type);

class EventView {
 public:
  EventView(const Record& record, std::string_view stream, std::int32_t partition);

  // A context attribute or extension by its CloudEvents name ("type", "subject", "tenantid" …).
  std::optional<std::string_view> attribute(std::string_view name) const;
  std::string_view id() const { return *attribute("id"); }
  std::string_view type() const { return *attribute("type"); }

  // Every attribute but datacontenttype, specversion first; each name once.
  void each(const std::function<void(std::string_view name, std::string_view value)>& visit) const;

  // The event in JSON format (structured mode). Data that is valid JSON and not declared as
  // something else is embedded byte for byte; text as a string; all else as data_base64.
  std::string structured_json() const;

  // The event's data as bytes; absent for a record without value.
  std::optional<std::string_view> data() const;
  // Declared, or application/json where nothing is declared and the data looks like it.
  std::string_view data_content_type() const;

 private:
  std::optional<std::string_view> synthesised(std::string_view name) const;
  bool is_structured() const { return document_.has_value(); }

  const Record& record_;
  std::string_view stream_;
  std::int32_t partition_;
  // Made when they are asked for.
  mutable std::string offset_;
  mutable std::string source_;
  mutable std::string time_;
  std::optional<JsonDocument> document_;
  // Attributes of a structured event in their text form.
  std::vector<std::pair<std::string, std::string>> parsed_;
  std::optional<std::string> parsed_data_;
};

}  // namespace weft::eventlog
