// The JSON Schema of a Schema resource's spec. Pure.
#pragma once

#include "base/json.h"
#include "base/result.h"

namespace weft::eventlog {

// Its definition as a document of its own; the error says where its text is wrong.
Result<JsonDocument> read_definition(const Json& spec);

}  // namespace weft::eventlog
