// Reads an OpenAPI document into operations. Used once, on one thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "contracts/core/request_validator.h"
#include "contracts/core/schema_compiler.h"
#include "contracts/openapi.h"

namespace weft::contracts {

class OpenApiReader {
 public:
  OpenApiReader(const Json& root, const SchemaOptions& options);
  Result<OpenApiDocument> run();

 private:
  // A value of the document with the pointer at which it stands.
  struct Located {
    const Json* value = nullptr;
    std::string pointer;
  };
  struct PathContext {
    Located item;
    PathTemplate path;
    std::vector<Located> parameters;
    std::vector<std::string> servers;
  };
  // Schemas are compiled together, then handed out.
  struct PendingSchema {
    Located at;
    std::optional<JsonSchema>* into;
    Parameter* parameter;  // whose form follows from the schema; or null
    BlockId block;
  };

  Result<> read_head(OpenApiDocument& out);
  Result<> read_path(OpenApiDocument& out, std::string_view path, const Located& item);
  Result<> read_operation(OpenApiDocument& out, const PathContext& path, std::string_view method,
                          const Located& operation);
  Result<> read_parameters(const PathContext& path, const Located& operation,
                           RequestValidator::Parts& parts);
  Result<> read_parameter(const PathContext& path, const Located& at, Parameter& out);
  Result<> read_style(const Located& at, const Located& schema, Parameter& out);
  Result<> read_content_parameter(const Located& at, const Located& content, Parameter& out);
  Result<> read_body(const Located& operation, RequestValidator::Parts& parts);
  Result<std::vector<Located>> list(const Located& owner, std::string_view keyword) const;
  Result<std::vector<std::string>> servers(const Located& owner) const;
  Result<JsonDocument> extensions(const Located& operation, const Located& item) const;
  Result<> add_schema(const Located& schema, std::optional<JsonSchema>& into, Parameter* parameter);
  Result<> settle(const Program& program, const PendingSchema& pending) const;

  // The member of an object; its value is null when there is none.
  static Located child(const Located& at, std::string_view key);
  // Follows $ref to other places of the document.
  Result<Located> resolved(Located at) const;
  static std::string text(const Located& at, std::string_view key);
  static bool flag(const Located& at, std::string_view key, bool otherwise = false);
  Failure wrong(const Located& at, std::string_view problem) const;

  const Json& root_;
  SchemaOptions options_;
  std::optional<SchemaCompiler> compiler_;
  std::vector<PendingSchema> pending_;
  std::vector<std::shared_ptr<RequestValidator::Parts>> with_bodies_;
  std::set<std::string, std::less<>> ids_;
};

// The types that a block can accept, looking through references and combinations.
std::uint8_t accepted_types(const Program& program, BlockId block, int depth = 0);
// Of an array's elements, when the block says so plainly.
std::uint8_t accepted_element_types(const Program& program, BlockId block, int depth = 0);

}  // namespace weft::contracts
