// CloudEvents over HTTP (HTTP protocol binding 1.0.2): a request's events in structured, batched or
// binary mode, and the header fields of binary mode. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventlog/events/cloud_event.h"
#include "eventlog/events/event_view.h"
#include "http/message.h"

namespace weft::eventlog {

enum class ContentMode : std::uint8_t { Binary, Structured, Batched };

// The mode that the fields announce; absent when they announce no event at all: answer 415.
std::optional<ContentMode> content_mode(std::span<const http::Field> fields);

// At least one event, or what is wrong with the first bad one.
EventResult<std::vector<CloudEvent>> events_from_http(ContentMode mode,
                                                      std::span<const http::Field> fields,
                                                      std::string_view body,
                                                      const EventLimits& limits = {});

// The fields of binary mode: ce-*, content-type. Values are percent-encoded as section 3.1.3.2
// says.
std::vector<std::pair<std::string, std::string>> binary_fields(const EventView& event);

// Section 3.1.3.2: space, double quote, percent and everything outside printable ASCII are encoded.
std::string encode_field_value(std::string_view value);
std::string decode_field_value(std::string_view value);

}  // namespace weft::eventlog
