// Follows a state database that other nodes use too: takes over their generations and API keys, and
// knows whether the database can be reached. One look costs one small query: the head of the audit
// trail moves with every change of the estate and of keys. After a change of its own a node looks
// at everything, since a failover may have lost it.
//
// run() on one loop; status() from any thread.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "estate/audit.h"
#include "estate/estate.h"
#include "identity/identity.h"
#include "runtime/clock.h"
#include "storage/database.h"

namespace weft::app {

struct StateStatus {
  bool is_away = false;
  std::string why;  // also when it can be reached but not followed
  WallTime since{};
};

// What a watch works with; all outlive it.
struct StateWatchParts {
  Database& database;
  estate::AuditLog& audit;
  estate::Estate& estate;
  identity::Identity& identity;
  Clock& clock;
  Duration interval;
  std::vector<Migration> migrations;
  // After a look that found news, and after the first: what this node itself must then do.
  std::function<Task<Result<>>()> catch_up;
};

class StateWatch {
 public:
  explicit StateWatch(StateWatchParts parts) : parts_(std::move(parts)) {}

  // Until it is cancelled.
  Task<void> run();
  // One look, as run() has them.
  Task<void> look();
  StateStatus status() const;
  // The schema was not brought up to date at start.
  void migrate_later() { is_migrated_ = false; }

 private:
  Task<Result<>> follow();
  void note(const Result<>& looked);

  StateWatchParts parts_;
  bool is_migrated_ = true;
  std::optional<estate::AuditHead> seen_;  // up to where the audit trail was taken over
  std::uint64_t own_commits_seen_ = 0;     // by that look
  mutable std::mutex mutex_;
  StateStatus status_;
};

}  // namespace weft::app
