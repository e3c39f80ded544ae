#include "contracts/openapi.h"

#include "contracts/core/openapi_reader.h"

namespace weft::contracts {

Result<OpenApiDocument> OpenApiDocument::compile(const Json& root, const SchemaOptions& options) {
  return OpenApiReader(root, options).run();
}

}  // namespace weft::contracts
