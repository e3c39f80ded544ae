// Entries of the audit trail for what happens outside of change sets.
#pragma once

#include <string>

#include "app/api/call.h"
#include "estate/audit.h"

namespace weft::app {

// Notes what the caller did, after it was done: a trail that cannot be written is reported in the
// log and does not undo the deed. `after` is JSON, or empty.
Task<void> note_in_audit(estate::AuditLog& audit, const ApiCall& call, std::string action,
                         std::string object, std::string after = {});

}  // namespace weft::app
