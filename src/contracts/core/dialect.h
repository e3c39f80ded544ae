// Which keywords a schema's dialect has.
#pragma once

#include <cstdint>

#include "contracts/json_schema.h"

namespace weft::contracts {

struct Dialect {
  SchemaDialect draft = SchemaDialect::Draft202012;
  // Vocabularies (2019-09 and later; a meta-schema of one's own may leave some out).
  bool applicator = true;
  bool unevaluated = true;
  bool validation = true;
  bool format_assertion = false;

  bool is_before(SchemaDialect other) const {
    // OpenAPI 3.0 took its schema object from draft 4.
    const SchemaDialect mine = draft == SchemaDialect::OpenApi30 ? SchemaDialect::Draft4 : draft;
    return mine < other;
  }
  bool since(SchemaDialect other) const { return !is_before(other); }
  const char* id_keyword() const { return is_before(SchemaDialect::Draft6) ? "id" : "$id"; }
  // Until draft 7 a $ref stands alone: what is beside it does not count.
  bool ref_hides_siblings() const { return is_before(SchemaDialect::Draft201909); }
};

}  // namespace weft::contracts
