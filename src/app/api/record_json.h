// A record as the admin API shows it (schema Record of admin.openapi.yaml).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/json_writer.h"
#include "eventlog/event_log.h"

namespace weft::app {

void write_record(JsonWriter& out, std::int32_t partition, const eventlog::Record& record,
                  std::size_t value_bytes_max);

// Text, or "base64:…" for bytes that are not UTF-8.
std::string shown_text(std::string_view bytes);

}  // namespace weft::app
