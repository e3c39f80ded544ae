// A lease: one of several nodes does something, for as long as it renews. Each acquisition counts a
// token up; a unit that carries the token (require_lease) is refused once somebody else has
// acquired the lease, however long its sender was paused.
//
// Expiry is judged by the clocks of the nodes, since the seam's SQL knows no time: clocks that are
// apart by d let another node take over d early or late. That costs at most work done twice, never
// a write of the old holder: the token alone decides that, inside the database.
//
// Threads: any. Failure: Conflict when somebody else holds the lease, or it was lost; else the
// codes of the database.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "storage/database.h"

namespace weft {

struct Lease {
  std::string name;
  std::string holder;
  std::int64_t token = 0;  // grows with every acquisition of the name
  WallTime expires_at{};
};

// Who asks for what. A holder's name is its own alone: one per process and start.
struct LeaseRequest {
  LeaseRequest(std::string lease_name, std::string lease_holder, Duration keep)
      : name(std::move(lease_name)), holder(std::move(lease_holder)), time(keep) {}
  std::string name;
  std::string holder;
  Duration time;
};

class Leases {
 public:
  explicit Leases(Database& database) : database_(database) {}

  static Migration migration();

  // Free, expired, or the holder's own lease: then with a new token.
  Task<Result<Lease>> acquire(LeaseRequest request, WallTime now);
  // The same token for longer; also after it expired, as long as nobody else acquired it.
  Task<Result<Lease>> renew(Lease lease, Duration time, WallTime now);
  // Free for the next. The token is spent: a later unit with it is refused.
  Task<Result<>> release(Lease lease);

 private:
  Database& database_;
};

// The unit is a Conflict unless the lease's token is still the newest. While such a unit is under
// way nobody can acquire the lease.
void require_lease(Unit& unit, const Lease& lease);

}  // namespace weft
