#include "base/document.h"
#include "base/json_members.h"
#include "eventlog/core/schema_definition.h"
#include "eventlog/quotas.h"
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
    "cleanup": {"enum": ["delete", "compact", "compact,delete"], "description": "delete when absent: by retention; compact: what a later record of its key replaces"},
    "recordBytesMax": {"type": "integer", "minimum": 1024, "maximum": 104857600},
    "schema": {"type": "string", "description": "Name of a Schema"},
    "opaque": {"const": true, "description": "No contract, on the record"},
    "namespace": {"type": "string", "description": "Name of the Namespace whose rules it follows, instead of those for names"},
    "validation": {"enum": ["every", "none"], "description": "every when a schema is named"},
    "onViolation": {"enum": ["refuse", "quarantine"], "description": "What becomes of Kafka records that break the contract: refuse (when absent) refuses their batch, quarantine puts them aside in <stream>.dlq"},
    "ttl": {"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$", "description": "Older records are given to no reader and not delivered; no limit when absent"},
    "dedupe": {"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$", "description": "Of events with one CloudEvents source and id within this time only the first is stored; all are when absent"},
    "quarantineRetention": {"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$", "description": "How long they stay there; 30d when absent"}
  }
})json";

constexpr const char* kNamespaceSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["prefix"],
  "oneOf": [{"required": ["schema"]}, {"required": ["opaque"]}],
  "properties": {
    "description": {"type": "string"},
    "prefix": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[A-Za-z0-9._-]+$",
               "description": "Streams whose names begin with this belong here"},
    "schema": {"type": "string", "description": "Name of the Schema that its streams get"},
    "opaque": {"const": true, "description": "Its streams have no contract, on the record"},
    "autoCreate": {"type": "boolean", "description": "A topic is made when a client asks for it; false when absent"},
    "partitions": {"type": "integer", "minimum": 1, "maximum": 10000, "description": "Where a client names none; 1 when absent"},
    "streamsMax": {"type": "integer", "minimum": 1, "maximum": 100000, "description": "How many streams it may hold; 1000 when absent"},
    "partitionsMax": {"type": "integer", "minimum": 1, "maximum": 10000, "description": "Of one stream; 100 when absent"},
    "retention": {"type": "string", "pattern": "^(forever|([0-9]+(ms|s|m|h|d))+)$", "description": "Where a client names none; 7d when absent"},
    "retentionMax": {"type": "string", "pattern": "^(forever|([0-9]+(ms|s|m|h|d))+)$", "description": "Longest that a client may ask for; forever when absent"}
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
  std::vector<estate::Reference> references;
  if (const auto* schema = spec.find("schema")) {
    references.push_back({"Schema", std::string(schema->as_string()), "/spec/schema"});
  }
  if (const auto* its_namespace = spec.find("namespace")) {
    references.push_back({"Namespace", std::string(its_namespace->as_string()), "/spec/namespace"});
  }
  return references;
}

std::vector<estate::Reference> namespace_references(const Json& spec) {
  const auto* schema = spec.find("schema");
  if (schema == nullptr) return {};
  return {{"Schema", std::string(schema->as_string()), "/spec/schema"}};
}

// Absent: for ever.
std::optional<Duration> retention_of(const Json& spec, std::string_view name,
                                     std::string_view fallback) {
  const auto* value = spec.find(name);
  auto text = value != nullptr ? value->as_string() : fallback;
  if (text == "forever") return std::nullopt;
  auto duration = parse_duration(text);
  bool is_limit = duration && *duration > Duration::zero();  // the log knows no shorter one
  return is_limit ? std::optional(*duration) : std::nullopt;
}

std::int64_t partitions_of(const Json& spec) {
  const auto* partitions = spec.find("partitions");
  return partitions == nullptr ? 1 : partitions->as_int64().value_or(1);
}

// What a Namespace asks of a stream that names it.
void check_membership(const estate::Resource& stream, const estate::Resource& rules,
                      estate::Findings& findings) {
  const auto& spec = rules.spec();
  const auto prefix = spec.find("prefix")->as_string();
  const auto refuse = [&](std::string pointer, std::string message) {
    findings.errors.push_back(stream.at(std::move(pointer), std::move(message)));
  };
  if (!std::string_view(stream.name()).starts_with(prefix)) {
    refuse("/metadata/name",
           fmt::format("names in the namespace {} begin with '{}'", rules.name(), prefix));
  }
  if (stream.owner() != rules.owner()) {
    refuse("/metadata/owner",
           fmt::format("streams in the namespace {} belong to {}", rules.name(), rules.owner()));
  }
  constexpr std::int64_t kPartitionsMax = 100;
  const auto* limit = spec.find("partitionsMax");
  const auto most = limit == nullptr ? kPartitionsMax : limit->as_int64().value_or(kPartitionsMax);
  if (partitions_of(stream.spec()) > most) {
    refuse("/spec/partitions",
           fmt::format("the namespace {} allows {} partitions", rules.name(), most));
  }
  const auto longest = retention_of(spec, "retentionMax", "forever");
  const auto wanted = retention_of(stream.spec(), "retention", "7d");
  if (longest && (!wanted || *wanted > *longest)) {
    refuse("/spec/retention", fmt::format("the namespace {} keeps records no longer than {}",
                                          rules.name(), spec.find("retentionMax")->as_string()));
  }
  for (const char* contract : {"schema", "opaque"}) {
    const auto* asked = spec.find(contract);
    const auto* given = stream.spec().find(contract);
    if (asked == nullptr || (given != nullptr && given->raw() == asked->raw())) continue;
    refuse("/spec", fmt::format("streams in the namespace {} have {}: {}", rules.name(), contract,
                                asked->raw()));
  }
}

void check_room(const estate::Resource& stream, const estate::Resource& rules,
                const estate::EstateView& view, estate::Findings& findings) {
  constexpr std::int64_t kStreamsMax = 1'000;
  const auto* limit = rules.spec().find("streamsMax");
  const auto most = limit == nullptr ? kStreamsMax : limit->as_int64().value_or(kStreamsMax);
  std::int64_t members = 0;
  for (const auto& each : view.of_kind(stream.tenant(), "Stream")) {
    const auto* named = each->spec().find("namespace");
    if (named != nullptr && named->as_string() == rules.name()) ++members;
  }
  if (members <= most) return;
  findings.errors.push_back(
      stream.at("/spec/namespace",
                fmt::format("the namespace {} holds {} streams at most", rules.name(), most)));
}

void check_stream(const estate::Resource& resource, const estate::EstateView& view,
                  estate::Findings& findings) {
  check_partition_quota(resource, view, findings);
  const auto& spec = resource.spec();
  if (text_of(spec, "onViolation") == "quarantine" &&
      (spec.find("schema") == nullptr || text_of(spec, "validation") == "none")) {
    findings.errors.push_back(resource.at(
        "/spec/onViolation", "without a schema that is checked there is nothing to put aside"));
  }
  if (const auto* named = resource.spec().find("namespace")) {
    const auto* rules = view.find(resource.tenant(), "Namespace", named->as_string());
    if (rules != nullptr) {
      check_membership(resource, *rules, findings);
      check_room(resource, *rules, view, findings);
    }
  } else if (!is_stream_name(resource.name())) {
    findings.errors.push_back(resource.at(
        "/metadata/name",
        fmt::format(
            "stream '{}' must be named <domain>.<entity>.<past-tense-event>.v<major>, such as "
            "orders.order.created.v1, or follow a namespace",
            resource.name())));
  }
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

  estate::Kind rules;
  rules.name = "Namespace";
  rules.summary = "What clients may make through Kafka, and whose it is";
  rules.schema = kNamespaceSchema;
  rules.owner = estate::OwnerRule::Required;
  rules.references = namespace_references;
  return {std::move(schema), std::move(rules), std::move(stream), quota_kind()};
}

}  // namespace weft::eventlog
