// What a person is told of a spec that breaks its kind's schema: the validator's message, and from
// the schema what it cannot know: which fields there are, which one was meant, what a value looks
// like. Pure; any thread.
#pragma once

#include <string>

#include "base/json.h"
#include "contracts/json_schema.h"

namespace weft::app {

// `schema` is the whole schema of the kind's spec.
std::string spec_advice(const Json& schema, const contracts::Violation& violation);

}  // namespace weft::app
