#include "estate/published_schema.h"

#include "base/json_writer.h"

namespace weft::estate {

namespace {

constexpr std::string_view kMetadata = R"json({
  "type": "object",
  "required": ["name"],
  "additionalProperties": false,
  "properties": {
    "name": {"type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9._-]{0,248}$"},
    "tenant": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$", "default": "default"},
    "owner": {"type": "string", "minLength": 1, "description": "The team that answers for it"},
    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    "annotations": {"type": "object", "additionalProperties": {"type": "string"}}
  }
})json";

std::string address_of(const Kind& kind) {
  return "urn:weft:v1:spec:" + kind.name;
}

// The kind's own schema under an address, so that its inner references stay its own.
void write_spec_schema(JsonWriter& out, const Kind& kind) {
  out.key(kind.name).object().member("$id", address_of(kind));
  auto parsed = JsonDocument::parse(kind.schema);
  if (parsed) {
    for (const auto& member : parsed->root().members()) {
      if (member.key() == "$id") continue;
      out.key(member.key()).value(member.value);
    }
  }
  out.end();
}

void write_rule(JsonWriter& out, const Kind& kind) {
  out.object().key("if").object().key("properties").object();
  out.key("kind").object().member("const", kind.name).end().end().end();
  out.key("then").object().key("properties").object();
  out.key("spec").object().member("$ref", address_of(kind)).end();
  if (kind.owner == OwnerRule::Required) {
    out.key("metadata").object().key("required").array().value("owner").end().end();
  }
  out.end().end().end();
}

}  // namespace

std::string published_schema(const KindSet& kinds) {
  JsonWriter out;
  out.object().member("$schema", "https://json-schema.org/draft/2020-12/schema");
  out.member("$id", "urn:weft:v1:resource").member("title", "A resource of a Weft estate");
  out.member("type", "object").member("additionalProperties", false);
  out.key("required").array().value("apiVersion").value("kind").value("metadata").end();
  out.key("properties").object();
  out.key("apiVersion").object().member("const", kApiVersion).end();
  out.key("kind").object().key("enum").array();
  for (const auto& kind : kinds.kinds()) out.value(kind.name);
  out.end().end();
  out.key("metadata").raw(kMetadata);
  out.key("spec").object().member("type", "object").end().end();
  out.key("allOf").array();
  for (const auto& kind : kinds.kinds()) write_rule(out, kind);
  out.end().key("$defs").object();
  for (const auto& kind : kinds.kinds()) write_spec_schema(out, kind);
  out.end().end();
  return std::move(out).text();
}

}  // namespace weft::estate
