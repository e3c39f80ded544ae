// Any bytes: the first line is a schema, the rest an instance. Compilation is refused or the
// answers with and without reports agree; nothing crashes or runs away.
#include <cstdlib>

#include "contracts/json_schema.h"
#include "contracts/openapi.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(text.find('\n'), text.size());
  const auto schema_text = JsonDocument::parse(std::string(text.substr(0, line)));
  if (!schema_text) return 0;
  (void)contracts::OpenApiDocument::compile(schema_text->root());
  const contracts::SchemaOptions options{
      .assert_formats = true, .depth_max = 100, .steps_max = 10'000};
  const auto schema = contracts::JsonSchema::compile(schema_text->root(), options);
  if (!schema || line == text.size()) return 0;
  const auto instance = JsonDocument::parse(std::string(text.substr(line + 1)));
  if (!instance) return 0;
  if (schema->accepts(instance->root()) != schema->violations(instance->root()).empty())
    std::abort();
  return 0;
}
