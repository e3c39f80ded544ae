// The JSON Schema (2020-12) of whole resource documents, for editors and pipelines: the envelope,
// and for each kind the schema of its spec. `weft` publishes it; the server itself judges with
// loader.h and planner.h, whose messages are better. Pure; any thread.
#pragma once

#include <string>

#include "estate/kind.h"

namespace weft::estate {

std::string published_schema(const KindSet& kinds);

}  // namespace weft::estate
