#include "base/document.h"
#include "eventlog/core/schema_definition.h"
#include "eventlog/streams.h"

namespace weft::eventlog {
namespace {

constexpr const char* kSchemaSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["format", "definition"],
  "properties": {
    "description": {"type": "string"},
    "format": {"enum": ["json-schema"]},
    "definition": {"type": ["object", "boolean", "string"],
                   "description": "A JSON Schema, as a mapping or as text: ${file:order.schema.json}"}
  }
})json";

constexpr const char* kStreamSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "oneOf": [{"required": ["schema"]}, {"required": ["opaque"]}],
  "properties": {
    "description": {"type": "string"},
    "partitions": {"type": "integer", "minimum": 1, "maximum": 10000, "description": "1 when absent; can only grow"},
    "retention": {"type": "string", "pattern": "^(forever|([0-9]+(ms|s|m|h|d))+)$", "description": "forever, or a time such as 7d or 12h30m; 7d when absent"},
    "retentionBytes": {"type": "integer", "minimum": 1, "description": "Per partition; no limit when absent"},
    "durability": {"enum": ["disk", "memory"], "description": "disk when absent: acknowledged means fsynced"},
    "cleanup": {"enum": ["delete", "compact"], "description": "delete when absent"},
    "recordBytesMax": {"type": "integer", "minimum": 1024, "maximum": 104857600},
    "schema": {"type": "string", "description": "Name of a Schema"},
    "opaque": {"const": true, "description": "No contract, on the record"},
    "validation": {"enum": ["every", "none"], "description": "every when a schema is named"}
  }
})json";

bool is_stream_name(std::string_view name) {
  // <domain>.<entity>.<past-tense-event>.v<major>
  int parts = 0;
  std::size_t start = 0;
  for (;;) {
    auto end = name.find('.', start);
    auto part = name.substr(start, end - start);
    auto is_last = end == std::string_view::npos;
    if (part.empty() ||
        part.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string_view::npos)
      return false;
    ++parts;
    if (is_last) {
      return parts == 4 && part.size() > 1 && part[0] == 'v' && part[1] != '0' &&
             part.find_first_not_of("0123456789", 1) == std::string_view::npos;
    }
    start = end + 1;
  }
}

std::vector<estate::Reference> stream_references(const Json& spec) {
  const auto* schema = spec.find("schema");
  if (schema == nullptr) return {};
  return {{"Schema", std::string(schema->as_string()), "/spec/schema"}};
}

void check_stream(const estate::Resource& resource, const estate::EstateView&,
                  estate::Findings& findings) {
  if (!is_stream_name(resource.name())) {
    findings.errors.push_back(resource.at(
        "/metadata/name",
        fmt::format(
            "stream '{}' must be named <domain>.<entity>.<past-tense-event>.v<major>, such as "
            "orders.order.created.v1",
            resource.name())));
  }
  const auto* cleanup = resource.spec().find("cleanup");
  if (cleanup != nullptr && cleanup->as_string() == "compact") {
    findings.errors.push_back(
        resource.at("/spec/cleanup", "compaction is not offered yet; use delete"));
  }
}

std::int64_t partitions_of(const Json& spec) {
  const auto* partitions = spec.find("partitions");
  return partitions == nullptr ? 1 : partitions->as_int64().value_or(1);
}

void check_stream_change(const estate::Resource& before, const estate::Resource* after,
                         const estate::EstateView&, estate::Findings& findings) {
  if (after == nullptr) return;
  auto was = partitions_of(before.spec());
  auto becomes = partitions_of(after->spec());
  if (becomes < was) {
    findings.errors.push_back(
        after->at("/spec/partitions",
                  fmt::format("partitions cannot shrink from {} to {}: records would be lost", was,
                              becomes)));
  }
  if (becomes > was) {
    findings.warnings.push_back(after->at(
        "/spec/partitions",
        "more partitions move keys: records of one key before and after the change lie in "
        "different partitions"));
  }
}

void check_schema(const estate::Resource& resource, const estate::EstateView&,
                  estate::Findings& findings) {
  auto definition = read_definition(resource.spec());
  if (!definition) {
    findings.errors.push_back(resource.at("/spec/definition", definition.error().message));
    return;
  }
  auto compiled = contracts::JsonSchema::compile(definition->root());
  if (!compiled)
    findings.errors.push_back(resource.at("/spec/definition", compiled.error().message));
  auto keys = contracts::business_keys(definition->root());
  if (!keys) findings.errors.push_back(resource.at("/spec/definition", keys.error().message));
}

}  // namespace

Result<JsonDocument> read_definition(const Json& spec) {
  const auto* definition = spec.find("definition");
  if (definition == nullptr) return fail(ErrorCode::InvalidArgument, "a definition is missing");
  // A mapping is part of a canonical JSON text, so its raw bytes are the schema's own text.
  if (!definition->is_string()) return JsonDocument::parse(std::string(definition->raw()));
  return JsonDocument::parse(std::string(definition->as_string()));
}

std::vector<estate::Kind> eventlog_kinds() {
  estate::Kind schema;
  schema.name = "Schema";
  schema.summary = "The contract of a payload";
  schema.schema = kSchemaSchema;
  schema.owner = estate::OwnerRule::Required;
  schema.check = check_schema;

  estate::Kind stream;
  stream.name = "Stream";
  stream.summary = "A durable, partitioned sequence of records";
  stream.schema = kStreamSchema;
  stream.owner = estate::OwnerRule::Required;
  stream.references = stream_references;
  stream.check = check_stream;
  stream.check_change = check_stream_change;
  stream.irreversible = {
      {"/spec/durability", "records already acknowledged keep the promise they were given"}};
  return {std::move(schema), std::move(stream)};
}

}  // namespace weft::eventlog
