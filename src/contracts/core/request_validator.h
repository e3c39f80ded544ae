// What an operation's request is checked against. Filled by the OpenAPI reader; immutable then.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "contracts/core/program.h"
#include "contracts/json_schema.h"
#include "contracts/openapi.h"

namespace weft::contracts {

struct Parameter {
  enum class In : std::uint8_t { Path, Query, Header, Cookie };
  In in = In::Query;
  std::string name;
  bool required = false;
  bool allow_empty = false;  // allowEmptyValue
  bool is_array = false;
  bool explode = false;                    // of an array: the name once per element
  std::string separator = ",";             // of an array otherwise
  bool is_json = false;                    // `content` with a JSON media type
  std::size_t capture = 0;                 // of a path parameter
  std::uint8_t types = kAllTypes;          // what the schema may accept
  std::uint8_t element_types = kAllTypes;  // of an array
  std::string place;
  std::optional<JsonSchema> schema;
};

struct BodyType {
  std::string media;  // "application/json", "application/*" or "*/*", lower case
  std::optional<JsonSchema> schema;
};

struct RequestValidator::Parts {
  std::vector<Parameter> parameters;
  bool has_body = false;
  bool body_required = false;
  std::vector<BodyType> bodies;
  std::string body_place;
  std::string body_rules;  // of all bodies, when they are JSON under the same rules
};

// "application/problem+json; charset=utf-8" becomes "application/problem+json".
std::string media_essence(std::string_view content_type);
bool is_json_media(std::string_view essence);

}  // namespace weft::contracts
