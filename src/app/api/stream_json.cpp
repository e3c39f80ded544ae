#include "app/api/stream_json.h"

#include <algorithm>

#include "base/json.h"

namespace weft::app {
namespace {

constexpr std::string_view kInternalPrefix = "__";

void write_limit(JsonWriter& out, std::string_view name, std::int64_t value) {
  out.key(name);
  if (value > 0)
    out.value(value);
  else
    out.null();
}

}  // namespace

std::vector<ShownStream> shown_streams(const eventlog::EventLog& log,
                                       const eventlog::StreamCatalogue& streams,
                                       std::string_view tenant, bool with_internal) {
  std::vector<ShownStream> shown;
  for (const auto& stream : streams.of_tenant(tenant))
    shown.push_back({stream->info, stream->declared});
  if (with_internal) {
    for (auto& info : log.streams()) {
      if (info.settings.tenant == tenant && info.settings.name.starts_with(kInternalPrefix))
        shown.push_back({std::move(info), nullptr});
    }
  }
  std::sort(shown.begin(), shown.end(), [](const auto& a, const auto& b) {
    return a.info.settings.name < b.info.settings.name;
  });
  return shown;
}

std::optional<ShownStream> find_shown(const eventlog::EventLog& log,
                                      const eventlog::StreamCatalogue& streams,
                                      std::string_view tenant, std::string_view name) {
  if (auto stream = streams.find(tenant, name)) return ShownStream{stream->info, stream->declared};
  if (!name.starts_with(kInternalPrefix)) return std::nullopt;
  auto info = log.find_stream(tenant, name);
  if (!info) return std::nullopt;
  return ShownStream{std::move(*info), nullptr};
}

void write_stream(JsonWriter& out, const ShownStream& stream, const eventlog::EventLog& log,
                  const StreamTraffic& traffic) {
  const auto& settings = stream.info.settings;
  std::int64_t records = 0;
  std::uint64_t bytes = 0;
  for (std::int32_t i = 0; i < settings.partitions; ++i) {
    if (auto partition = log.partition({stream.info.id, i})) {
      records += partition->end - partition->start;
      bytes += partition->bytes;
    }
  }
  const auto* declared = stream.declared.get();
  out.object()
      .member("name", settings.name)
      .member("tenant", settings.tenant)
      .member("owner", declared != nullptr ? declared->owner : "weft")
      .member("partitions", settings.partitions)
      .member("records", records)
      .member("bytes", bytes)
      .member("recordsPerSecond", traffic.records_per_second)
      .member("durability", settings.durability == eventlog::Durability::Disk ? "disk" : "memory")
      .member("cleanup", eventlog::cleanup_name(settings.cleanup))
      .member("validation", declared != nullptr && declared->validates() ? "every" : "none")
      .member("internal", declared == nullptr);
  write_limit(out, "retentionSeconds",
              std::chrono::duration_cast<std::chrono::seconds>(settings.retention).count());
  write_limit(out, "retentionBytes", static_cast<std::int64_t>(settings.retention_bytes));
  if (declared != nullptr && !declared->description.empty())
    out.member("description", declared->description);
  if (declared != nullptr && !declared->schema_name.empty())
    out.member("schemaName", declared->schema_name);
  if (traffic.last_record) out.member("lastRecordAt", to_rfc3339(*traffic.last_record));
  out.end();
}

std::optional<std::string> sample_value(const eventlog::StreamDeclaration& declared) {
  if (!declared.schema) return std::nullopt;
  auto schema = JsonDocument::parse(declared.schema_text);
  if (!schema) return std::nullopt;
  const auto* examples = schema->root().find("examples");
  if (examples == nullptr || !examples->is_array()) return std::nullopt;
  for (const auto& example : examples->elements()) {
    std::string text(example.raw());
    if (declared.violations_of_text(text).empty()) return text;
  }
  return std::nullopt;
}

void write_partitions(JsonWriter& out, const ShownStream& stream, const eventlog::EventLog& log) {
  out.array();
  for (std::int32_t i = 0; i < stream.info.settings.partitions; ++i) {
    auto partition = log.partition({stream.info.id, i});
    if (!partition) continue;
    out.object()
        .member("partition", i)
        .member("start", partition->start)
        .member("end", partition->end)
        .member("bytes", partition->bytes)
        .end();
  }
  out.end();
}

Failure no_such_stream(const std::string& name) {
  return fail(ErrorCode::NotFound, "there is no stream \"{}\"; `weft stream list` shows them",
              name);
}

}  // namespace weft::app
