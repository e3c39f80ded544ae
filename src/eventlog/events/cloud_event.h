// A CloudEvent on its way into the log: parsed and checked, attributes in their text form
// (CloudEvents 1.0.2 sections 3.1 and 3.2; JSON format 1.0.2). Values; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "eventlog/event_log.h"

namespace weft::eventlog {

struct EventLimits {
  std::size_t attributes_max = 64;
  std::size_t attribute_bytes_max = 8 * 1024;
  std::size_t name_bytes_max = 64;
  std::size_t batch_max = 10'000;
};

struct CloudEvent {
  // Every attribute but specversion and datacontenttype, in the order given.
  std::vector<std::pair<std::string, std::string>> attributes;
  std::optional<std::string> data_content_type;
  std::optional<std::string> data;

  const std::string* find(std::string_view name) const;
};

// What is wrong with an event, for its sender: which attribute, and why.
struct EventIssue {
  std::string attribute;  // empty: the event as a whole
  std::string message;
  std::optional<std::size_t> index;  // of the event in its batch
  std::string text() const;          // events[2]: source is required
};

template <class T>
using EventResult = std::expected<T, EventIssue>;

// The rules that all modes share: required attributes, names, forms of values. `attributes`
// includes specversion.
EventResult<CloudEvent> make_event(std::vector<std::pair<std::string, std::string>> attributes,
                                   std::optional<std::string> data_content_type,
                                   std::optional<std::string> data, const EventLimits& limits = {});

// One event in the JSON format. Data keeps its bytes: numbers are not rewritten.
EventResult<CloudEvent> event_from_json(const Json& event, const EventLimits& limits = {});

// The Kafka protocol binding, binary mode: ce_ headers, content-type; the extension partitionkey
// becomes the record's key.
NewRecord to_record(CloudEvent event);

}  // namespace weft::eventlog
