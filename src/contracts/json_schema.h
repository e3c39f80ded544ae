// JSON Schema, compiled once to a flat program and then run over many instances.
//
//   TRY(auto schema, JsonSchema::compile(document.root()));
//   if (!schema.accepts(event)) return refuse(schema.violations(event));
//
// Dialects: 2020-12 (default), 2019-09, draft 7, 6 and 4 by $schema, and the schema object of
// OpenAPI 3.0. Numbers compare exactly, patterns run in linear time, and nothing is fetched:
// documents that are referred to are given up front. A JsonSchema is immutable, cheap to copy,
// independent of the Json that it was compiled from, and may be used by any thread.
//
// Source: https://json-schema.org/draft/2020-12/json-schema-core and -validation.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace weft::contracts {

struct Program;

enum class SchemaDialect : std::uint8_t {
  Draft4,
  Draft6,
  Draft7,
  Draft201909,
  Draft202012,
  OpenApi30
};

// A document that schemas may refer to by its address or by the $id that it carries.
struct SchemaDocument {
  std::string uri;
  Json root;  // must live until compile() returns
};

struct SchemaOptions {
  std::string uri{};  // where the schema lives; relative references resolve against it
  std::vector<SchemaDocument> documents{};
  SchemaDialect dialect = SchemaDialect::Draft202012;  // where the schema has no $schema
  bool assert_formats = false;                         // else `format` is only an annotation

  // The whole text that the schema's offset() points into, for lines in errors. Not needed when the
  // schema is (part of) a JSON text's own tree.
  std::string_view source{};

  // Of one validation: schemas entered inside one another, and schemas entered in all. Beyond, the
  // instance is refused, so that a recursive or exploding schema ends.
  std::uint32_t depth_max = 1'500;
  std::uint64_t steps_max = 10'000'000;
};

// One way in which an instance breaks its schema. Messages never repeat the instance's values,
// which may be personal data; names of members do occur in pointers.
struct Violation {
  std::string instance;  // JSON Pointer of the value
  std::string
      schema;  // "#/properties/total/minimum"; with its document's URI when that is another one
  std::string message;  // "must be at least 0"
};

class JsonSchema {
 public:
  // The error names the place: "schema at #/properties/total/minimum (line 7, column 18): must be a
  // number". Every reference is resolved, every pattern compiled; a schema that refers to itself
  // without going down into the instance is refused.
  static Result<JsonSchema> compile(const Json& schema, const SchemaOptions& options = {});

  // Stops at the first violation and allocates nothing for ordinary schemas.
  bool accepts(const Json& instance) const;
  // Empty exactly when the instance is accepted. At most `max`, in the order in which they are met.
  std::vector<Violation> violations(const Json& instance, std::size_t max = 20) const;
  // What it asks, without names and annotations: schemas with the same rules accept the same
  // instances, wherever they stand. Empty when that cannot be said ($dynamicRef). Made anew by each
  // call.
  std::string rules() const;

 private:
  friend class SchemaCompiler;
  JsonSchema(std::shared_ptr<const Program> program, std::uint32_t entry)
      : program_(std::move(program)), entry_(entry) {}

  std::shared_ptr<const Program> program_;
  std::uint32_t entry_ = 0;
};

}  // namespace weft::contracts
