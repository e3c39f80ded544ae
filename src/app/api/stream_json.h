// A stream as the admin API shows it (schemas Stream and StreamDetail of admin.openapi.yaml). Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "eventlog/event_log.h"
#include "eventlog/streams.h"

namespace weft::app {

// A stream of the log with its declaration; internal streams have none.
struct ShownStream {
  eventlog::StreamInfo info;
  std::shared_ptr<const eventlog::StreamDeclaration> declared;
};

// The streams that a caller may see, sorted by name.
std::vector<ShownStream> shown_streams(const eventlog::EventLog& log,
                                       const eventlog::StreamCatalogue& streams,
                                       std::string_view tenant, bool with_internal);
std::optional<ShownStream> find_shown(const eventlog::EventLog& log,
                                      const eventlog::StreamCatalogue& streams,
                                      std::string_view tenant, std::string_view name);

// NotFound, for people.
Failure no_such_stream(const std::string& name);

// What is measured, not declared.
struct StreamTraffic {
  double records_per_second = 0;
  std::optional<WallTime> last_record;
};

void write_stream(JsonWriter& out, const ShownStream& stream, const eventlog::EventLog& log,
                  const StreamTraffic& traffic);
// A value that passes the stream's schema: the first of the schema's `examples` that does.
std::optional<std::string> sample_value(const eventlog::StreamDeclaration& declared);
void write_partitions(JsonWriter& out, const ShownStream& stream, const eventlog::EventLog& log);

}  // namespace weft::app
