#include "gateway/kinds.h"

namespace weft::gateway {
namespace {

constexpr const char* kUpstreamSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["targets"],
  "properties": {
    "description": {"type": "string"},
    "targets": {
      "description": "Base URLs, used in turn; one that refuses connections is left out for a while",
      "type": "array", "minItems": 1, "maxItems": 256,
      "items": {"type": "string", "pattern": "^https?://[^/?#@]+(/[^?#]*)?$"}
    },
    "timeout": {"type": "string", "pattern": "^[0-9]+(ms|s|m)$", "description": "For a whole call; 30s when absent"}
  }
})json";

constexpr const char* kApiSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["version", "openapi"],
  "properties": {
    "description": {"type": "string"},
    "version": {"type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+(-[0-9A-Za-z.-]+)?$",
                "description": "Semantic version of the contract"},
    "openapi": {"type": ["object", "string"], "description": "OpenAPI 3.0 or 3.1: a mapping, or ${file:…}"},
    "hosts": {"type": "array", "items": {"type": "string", "minLength": 1},
              "description": "Host names that this API answers to; all when absent"},
    "basePath": {"type": "string", "pattern": "^(/[^/{}?#]+)*$", "description": "Put before every path"},
    "authentication": {"enum": ["apiKey", "none"], "description": "apiKey when absent"},
    "validation": {"enum": ["requests", "none"], "description": "requests when absent"},
    "upstream": {"type": "string", "description": "For operations that are bound to nothing else"},
    "operations": {
      "description": "By operationId",
      "type": "object",
      "additionalProperties": {
        "type": "object",
        "additionalProperties": false,
        "oneOf": [{"required": ["upstream"]}, {"required": ["publish"]}],
        "properties": {
          "upstream": {"type": "string"},
          "idempotency": {"enum": ["required", "optional", "none"],
                          "description": "Of publish: required when absent"},
          "publish": {
            "type": "object",
            "additionalProperties": false,
            "required": ["stream"],
            "properties": {
              "stream": {"type": "string"},
              "type": {"type": "string", "minLength": 1, "description": "CloudEvents type; the stream's name when absent"},
              "source": {"type": "string", "minLength": 1, "description": "CloudEvents source; /apis/<api> when absent"},
              "key": {"type": "string", "pattern": "^(/.*)?$", "description": "JSON Pointer to the record key in the body"},
              "subject": {"type": "string", "pattern": "^(/.*)?$", "description": "JSON Pointer to the CloudEvents subject"},
              "status": {"enum": [200, 201, 202], "description": "201 when absent"}
            }
          }
        }
      }
    }
  }
})json";

void add_reference(std::vector<estate::Reference>& out, const Json* name, const char* kind,
                   std::string pointer) {
  if (name != nullptr && name->is_string()) {
    out.push_back({kind, std::string(name->as_string()), std::move(pointer)});
  }
}

std::vector<estate::Reference> api_references(const Json& spec) {
  std::vector<estate::Reference> references;
  add_reference(references, spec.find("upstream"), "Upstream", "/spec/upstream");
  const auto* operations = spec.find("operations");
  if (operations == nullptr) return references;
  for (const auto& member : operations->members()) {
    auto place = "/spec/operations/" + escape_pointer_token(member.key());
    add_reference(references, member.value.find("upstream"), "Upstream", place + "/upstream");
    add_reference(references, member.value.at_pointer("/publish/stream"), "Stream",
                  place + "/publish/stream");
  }
  return references;
}

}  // namespace

std::vector<estate::Kind> gateway_kinds() {
  estate::Kind upstream;
  upstream.name = "Upstream";
  upstream.summary = "A service that the gateway forwards to";
  upstream.schema = kUpstreamSchema;
  upstream.owner = estate::OwnerRule::Required;

  estate::Kind api;
  api.name = "Api";
  api.summary = "A versioned HTTP contract with its routes";
  api.schema = kApiSchema;
  api.owner = estate::OwnerRule::Required;
  api.references = api_references;
  return {std::move(upstream), std::move(api)};
}

}  // namespace weft::gateway
