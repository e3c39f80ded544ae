// The audit trail: who changed what, before and after, as a hash chain in the state database. Every
// change of configuration, export and human approval is written here in the same unit as its
// effect, so there is no change without its entry.
//
// hash(n) = SHA-256(hash(n-1) ‖ canonical JSON of entry n), hash(0) = 64 zeros; the head (count,
// hash) is kept in a row of its own and with every generation on disk. verify() finds an entry that
// was altered, deleted, inserted, moved, or cut off the end. What it cannot find: somebody who
// rewrites the whole chain, the head and generation.json; keep head() elsewhere for that. Format:
// docs/formats/state-database.md.
//
// Threads: any. Commits are serialized on one thread of its own. Secrets must be redacted by the
// caller.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "runtime/clock.h"
#include "storage/database.h"

namespace weft::estate {

struct AuditEvent {
  std::string actor;   // principal id, e.g. "user:admin"
  std::string tenant;  // of the object
  std::string action;  // "<noun>.<verb>", e.g. "estate.update", "key.create", "record.export"
  std::string object;  // e.g. "Stream orders.order.created.v1"
  std::optional<std::string> before = {};  // JSON text
  std::optional<std::string> after = {};
  std::uint64_t generation = 0;  // 0: not part of a generation
};

struct AuditEntry {
  std::uint64_t sequence = 0;  // from 1, without holes
  WallTime time;
  AuditEvent event;
  std::string previous_hash;  // 64 hex digits
  std::string hash;
};

struct AuditHead {
  std::uint64_t count = 0;
  std::string hash;
  friend bool operator==(const AuditHead&, const AuditHead&) = default;
};

struct AuditReport {
  AuditHead head;  // as recomputed, up to the first bad entry
  bool intact = true;
  std::uint64_t bad_sequence = 0;  // the first entry that is not right
  std::string reason;              // what is wrong with it, for a person
};

struct AuditQuery {
  AuditQuery() {}
  std::optional<std::string> tenant;
  std::optional<std::string> actor;
  std::optional<std::string> object;       // "Kind name"
  std::optional<std::string> object_kind;  // any name
  std::optional<std::string> object_name;  // any kind
  std::uint64_t before_sequence = 0;       // 0: from the newest
  std::size_t limit = 100;                 // at most 1000
};

class AuditLog {
 public:
  AuditLog(Database& database, Clock& clock);
  ~AuditLog();

  static Migration migration();

  // Carries out the unit together with the entries, whole or not at all. Conflict when the unit's
  // own guards fail. The returned head includes the entries.
  Task<Result<AuditHead>> commit(Unit unit, std::vector<AuditEvent> events);

  // How many commits of this object have succeeded. Any thread.
  std::uint64_t commits() const;

  // Newest first.
  Task<Result<std::vector<AuditEntry>>> list(AuditQuery query);
  Task<Result<AuditHead>> head();
  // Reads the whole chain. Anchors are heads that were kept elsewhere: it must go through them.
  Task<Result<AuditReport>> verify(std::vector<AuditHead> anchors);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The canonical text and hash of an entry; pure.
std::string canonical_text(const AuditEntry& entry);
std::string entry_hash(const AuditEntry& entry);

}  // namespace weft::estate
