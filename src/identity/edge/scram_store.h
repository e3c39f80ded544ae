// The SCRAM keys of all clients: in the state database, and as they were last read in memory.
// Threads: any; changes are serialized by the database.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/digest.h"
#include "identity/core/directory.h"
#include "identity/core/scram_sql.h"
#include "identity/identity.h"

namespace weft::identity {

class ScramStore {
 public:
  // Both outlive it.
  ScramStore(Database& database, estate::AuditLog& audit, Clock& clock)
      : database_(database), audit_(audit), clock_(clock) {}

  // Takes over what the database has.
  Task<Result<>> load();
  // Committed with its audit entry before it takes effect.
  Task<Result<>> change(std::string actor, ScramChange change);
  std::vector<ScramUser> users(std::string_view tenant) const;
  // The pepper makes up the keys of users that do not exist.
  ScramLogin find(ScramMechanism mechanism, std::string_view user, const ClientSnapshot& clients,
                  const crypto::HmacKey& pepper) const;

 private:
  using Keys = std::map<ScramName, StoredScram>;
  struct Table {
    explicit Table(Keys of = {});
    Keys keys;
    // What the keys of a mechanism look like: those of users that do not exist are made alike.
    struct Shape {
      std::int32_t iterations = kScramIterationsDefault;
      std::size_t salt_bytes = kScramSaltBytes;
    };
    std::map<ScramMechanism, std::vector<Shape>> shapes;
  };

  bool take(Keys keys, std::uint64_t seen);
  void put(const ScramName& name, std::optional<StoredScram> scram);

  Database& database_;
  estate::AuditLog& audit_;
  Clock& clock_;
  std::atomic<std::shared_ptr<const Table>> table_{std::make_shared<const Table>()};
  std::mutex mutex_;           // of the making of the next table
  std::uint64_t changes_ = 0;  // made here
};

}  // namespace weft::identity
