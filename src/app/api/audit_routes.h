// The admin API's audit trail: who changed what, and whether the trail is intact.
#pragma once

#include <vector>

#include "app/api/call.h"
#include "estate/audit.h"
#include "estate/estate.h"

namespace weft::app {

struct AuditRoutesParts {
  estate::Estate& estate;
  estate::AuditLog& audit;
};

// The parts outlive the routes.
std::vector<ApiRoute> audit_routes(AuditRoutesParts& parts);

// The members "before" and "after": documents, or null.
void write_before_and_after(JsonWriter& out, const estate::AuditEvent& event);

}  // namespace weft::app
