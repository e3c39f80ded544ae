// The state database on a PostgreSQL server (15 or later), shared by any number of nodes. Connects
// when it is first used, so it opens also while the server is away, and again after a lost
// connection, with a wait that doubles from reconnect_wait_min to reconnect_wait_max. Of several
// hosts it takes the one that accepts writes, so a promoted standby is found by itself.
//
// One writer thread commits what queued as one transaction, READ COMMITTED, each unit in a
// savepoint of its own; a unit that gives way to another node's (deadlock) is tried again alone,
// then it is a Conflict. A pool of readers; a snapshot is a REPEATABLE READ transaction.
//
// Beyond the codes of the seam: Unavailable when the server is away, and the message says whether
// the unit was certainly not applied or whether that is unknown (the connection was lost while it
// committed). PermissionDenied when the server refuses the credentials. InvalidArgument for a text
// with a zero byte, which the server cannot hold. After a migrate() that found no server,
// everything is Unavailable until one succeeds.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "runtime/clock.h"
#include "runtime/metrics.h"
#include "storage/database.h"

namespace weft {

// Empty fields are left to the URL, else to libpq's defaults.
struct PostgresOptions {
  std::string url;   // postgresql://…
  std::string host;  // several: separated by commas, as are their ports
  std::string port;
  std::string database;
  std::string user;
  std::string password;
  std::string ssl_mode;
  std::string ssl_root_file;
  std::size_t readers = 2;
  std::size_t units_queued_max = 10'000;
  std::size_t units_per_commit_max = 256;
  std::size_t queries_queued_max = 10'000;
  std::size_t rows_max = 1'000'000;                 // of one query; more is ResourceExhausted
  std::chrono::seconds connect_timeout{5};          // per host
  std::chrono::milliseconds reply_timeout{30'000};  // without a byte from the server
  std::chrono::milliseconds reconnect_wait_min{100};
  std::chrono::milliseconds reconnect_wait_max{5'000};
};

// InvalidArgument when the URL is not one, or its parts cannot be meant; the message repeats
// nothing of it, since it may hold a password.
Result<> check_postgres_url(const std::string& url);

class PostgresDatabase final : public Database {
 public:
  PostgresDatabase(Clock& clock, Metrics& metrics, PostgresOptions options);
  // Finishes the accepted units. Requires: no call is made any more.
  ~PostgresDatabase() override;

  Task<Result<>> migrate(std::vector<Migration> migrations, WallTime now) override;
  Task<Result<UnitResult>> execute(Unit unit) override;
  Task<Result<std::vector<Rows>>> snapshot(std::vector<Query> queries) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft
