#include "contracts/json_schema.h"

#include "contracts/core/evaluator.h"
#include "contracts/core/rules_text.h"
#include "contracts/core/schema_compiler.h"

namespace weft::contracts {

Result<JsonSchema> JsonSchema::compile(const Json& schema, const SchemaOptions& options) {
  SchemaCompiler compiler(schema, options, true);
  TRY(const BlockId entry, compiler.add(""));
  TRY(auto program, compiler.finish());
  return JsonSchema(std::move(program), entry);
}

bool JsonSchema::accepts(const Json& instance) const {
  instance.prefetch();
  return Evaluator(*program_).accepts(entry_, instance);
}

std::vector<Violation> JsonSchema::violations(const Json& instance, std::size_t max) const {
  if (accepts(instance)) return {};
  return Evaluator(*program_).violations(entry_, instance, max);
}

std::string JsonSchema::rules() const {
  return rules_text(*program_, entry_);
}

}  // namespace weft::contracts
