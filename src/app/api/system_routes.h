// The admin API's health, overview and its own contract.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/api/call.h"
#include "app/settings/roles.h"
#include "app/watch/activity.h"
#include "app/watch/lag_watch.h"
#include "app/watch/state_watch.h"
#include "delivery/deliveries.h"
#include "estate/audit.h"
#include "estate/estate.h"
#include "eventlog/embedded/embedded_log.h"
#include "eventlog/kafka/groups/coordinator.h"
#include "runtime/clock.h"
#include "runtime/metrics.h"

namespace weft::app {

struct SystemRoutesParts {
  const Activity& activity;
  eventlog::EventLog& log;
  const eventlog::EmbeddedLog* embedded;  // null: the streams are in a cluster
  kafka::GroupCoordinator* groups;        // null where others coordinate the groups
  delivery::Deliveries& delivery;
  estate::Estate& estate;
  estate::AuditLog& audit;
  FileSystem& files;
  Clock& clock;
  WallTime started_at;
  std::string data_folder;
  std::vector<std::pair<std::string, std::string>> listeners;  // name, address
  std::function<double()> p95_ms;  // of the gateway; 0 without a request
  std::string openapi_json;
  std::function<std::optional<StateStatus>()> state;  // of a shared state database
  Roles roles;
  std::function<std::string()> role_note;  // what they leave undone; empty: nothing
  const LagWatch* lag = nullptr;           // null: nobody watches
};

// The parts outlive the routes.
std::vector<ApiRoute> system_routes(SystemRoutesParts& parts);

}  // namespace weft::app
