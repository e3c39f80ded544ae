#include "app/api/audited.h"

#include "runtime/log.h"

namespace weft::app {

Task<void> note_in_audit(estate::AuditLog& audit, const ApiCall& call, std::string action,
                         std::string object, std::string after) {
  std::vector<estate::AuditEvent> events(1);
  events[0].actor = call.principal->id;
  events[0].tenant = call.tenant();
  events[0].action = action;
  events[0].object = object;
  if (!after.empty()) events[0].after = std::move(after);
  Unit nothing;
  auto noted = co_await audit.commit(std::move(nothing), std::move(events));
  if (noted) co_return;
  log_error("admin", "the audit trail could not be written",
            {{"action", action},
             {"object", object},
             {"actor", call.principal->id},
             {"why", noted.error().message}});
}

}  // namespace weft::app
