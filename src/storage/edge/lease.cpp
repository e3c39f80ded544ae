#include "storage/lease.h"

namespace weft {

namespace {

Failure held_by(const std::string& name, const std::string& holder) {
  return fail(ErrorCode::Conflict, "lease {} is held by {}", name, holder);
}

std::string lost_text(const Lease& lease) {
  return fmt::format("lease {} was lost by {} (token {})", lease.name, lease.holder, lease.token);
}

}  // namespace

Migration Leases::migration() {
  return {"lease", 1,
          "CREATE TABLE state_lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, "
          "token INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT"};
}

Task<Result<Lease>> Leases::acquire(LeaseRequest request, WallTime now) {
  Query query("SELECT holder, token, expires_at FROM state_lease WHERE name = $1", {request.name});
  CO_TRY(auto rows, co_await database_.query(std::move(query)));
  Lease lease;
  lease.name = request.name;
  lease.holder = request.holder;
  lease.expires_at = now + std::chrono::duration_cast<WallTime::duration>(request.time);
  Unit unit;
  if (rows.empty()) {
    lease.token = 1;
    unit.add("INSERT INTO state_lease (name, holder, token, expires_at) VALUES ($1, $2, 1, $3)",
             {lease.name, lease.holder, to_unix_ms(lease.expires_at)});
  } else {
    auto before = rows[0].integer(1);
    bool is_free = rows[0].integer(2) <= to_unix_ms(now) || rows[0].text(0) == request.holder;
    if (!is_free) co_return held_by(request.name, rows[0].text(0));
    lease.token = before + 1;
    // A renewal in the meantime leaves the token and moves the expiry: it wins.
    unit.add_guarded(1, fmt::format("lease {} was taken by somebody else", lease.name),
                     "UPDATE state_lease SET holder = $2, token = $3, expires_at = $4 "
                     "WHERE name = $1 AND token = $5 AND expires_at = $6",
                     {lease.name, lease.holder, lease.token, to_unix_ms(lease.expires_at), before,
                      rows[0].integer(2)});
  }
  auto taken = co_await database_.execute(std::move(unit));
  if (!taken && taken.error().code == ErrorCode::AlreadyExists) {
    co_return held_by(request.name, "somebody else");
  }
  if (!taken) co_return Failure(std::move(taken).error());
  co_return lease;
}

Task<Result<Lease>> Leases::renew(Lease lease, Duration time, WallTime now) {
  lease.expires_at = now + std::chrono::duration_cast<WallTime::duration>(time);
  Unit unit;
  unit.add_guarded(1, lost_text(lease),
                   "UPDATE state_lease SET expires_at = $4 "
                   "WHERE name = $1 AND holder = $2 AND token = $3",
                   {lease.name, lease.holder, lease.token, to_unix_ms(lease.expires_at)});
  CO_CHECK(co_await database_.execute(std::move(unit)));
  co_return lease;
}

Task<Result<>> Leases::release(Lease lease) {
  Unit unit;
  unit.add_guarded(1, lost_text(lease),
                   "UPDATE state_lease SET holder = '', token = token + 1, expires_at = 0 "
                   "WHERE name = $1 AND token = $2",
                   {lease.name, lease.token});
  CO_CHECK(co_await database_.execute(std::move(unit)));
  co_return Result<>();
}

void require_lease(Unit& unit, const Lease& lease) {
  // An update, not a look: it holds the row until the unit is committed.
  unit.add_guarded(1, lost_text(lease),
                   "UPDATE state_lease SET token = token WHERE name = $1 AND holder = $2 "
                   "AND token = $3",
                   {lease.name, lease.holder, lease.token});
}

}  // namespace weft
