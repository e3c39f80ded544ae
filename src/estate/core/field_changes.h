// The differences of two JSON values, place by place. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "estate/kind.h"
#include "estate/plan.h"

namespace weft::estate {

inline constexpr std::string_view kRedacted = "\"[redacted]\"";

// Objects are compared member by member, arrays element by element; what was added or removed is
// one change at its top. Numbers are equal when their values are. Secrets are redacted.
std::vector<FieldChange> field_changes(const Json& before, const Json& after,
                                       const std::vector<std::string>& secret_fields);

// The places of all single values that differ, also inside what was added or removed.
std::vector<std::string> changed_places(const Json& before, const Json& after);

// A resource as it is shown and audited: canonical JSON in which a secret that is written out is
// redacted. References to secrets stay.
std::string redacted_text(const Json& root, const std::vector<std::string>& secret_fields);

}  // namespace weft::estate
