// The admin API's backups.
#pragma once

#include <vector>

#include "app/api/call.h"
#include "app/backup/node_backup.h"
#include "estate/audit.h"

namespace weft::app {

struct BackupRoutesParts {
  NodeBackup* backup;  // null: the records are in a cluster
  estate::AuditLog& audit;
};

// The parts outlive the routes.
std::vector<ApiRoute> backup_routes(BackupRoutesParts& parts);

}  // namespace weft::app
