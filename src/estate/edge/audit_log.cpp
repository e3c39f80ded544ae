#include "estate/audit.h"

#include <algorithm>
#include <atomic>
#include <limits>

#include "estate/core/audit_chain.h"
#include "runtime/loops.h"
#include "runtime/run_until_done.h"

namespace weft::estate {

namespace {

constexpr std::size_t kWaitingMax = 10'000;
constexpr std::size_t kListMax = 1000;
constexpr std::int64_t kVerifyPage = 500;
// Only another node that writes at the same time takes a turn away; it may take many in a row.
constexpr int kTurnsMax = 1000;

constexpr std::string_view kColumns =
    "sequence, at, actor, tenant, action, object, before, after, generation, previous_hash, hash";

// As SQL counts them: code points.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

AuditEntry entry_of(const Row& row) {
  AuditEntry entry;
  entry.sequence = static_cast<std::uint64_t>(row.integer(0));
  entry.time = from_unix_ms(row.integer(1));
  entry.event = {row.text(2),
                 row.text(3),
                 row.text(4),
                 row.text(5),
                 row.optional_text(6),
                 row.optional_text(7),
                 static_cast<std::uint64_t>(row.integer(8))};
  entry.previous_hash = row.text(9);
  entry.hash = row.text(10);
  return entry;
}

void add_entry(Unit& unit, const AuditEntry& entry) {
  const auto& event = entry.event;
  unit.add(
      "INSERT INTO audit_entry (sequence, at, actor, tenant, action, object, before, after, "
      "generation, previous_hash, hash) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
      {static_cast<std::int64_t>(entry.sequence), to_unix_ms(entry.time), event.actor, event.tenant,
       event.action, event.object, nullable(event.before), nullable(event.after),
       static_cast<std::int64_t>(event.generation), entry.previous_hash, entry.hash});
}

void move_head(Unit& unit, const AuditHead& from, const AuditHead& to) {
  unit.add_guarded(1, "the audit trail was continued by somebody else",
                   "UPDATE audit_head SET entries = $1, hash = $2 "
                   "WHERE id = 1 AND entries = $3 AND hash = $4",
                   {static_cast<std::int64_t>(to.count), to.hash,
                    static_cast<std::int64_t>(from.count), from.hash});
}

Query head_query() {
  return Query("SELECT entries, hash FROM audit_head WHERE id = 1");
}

Result<AuditHead> head_of(const Rows& rows) {
  if (rows.size() != 1) return fail(ErrorCode::DataLoss, "the audit trail has lost its head");
  return AuditHead{static_cast<std::uint64_t>(rows[0].integer(0)), rows[0].text(1)};
}

}  // namespace

struct AuditLog::State {
  State(Database& state_database, Clock& wall_clock)
      : database(state_database), clock(wall_clock), turns("audit", 1, kWaitingMax) {}

  Database& database;
  Clock& clock;
  std::optional<AuditHead> last_head;  // the turns' thread only
  std::atomic<std::uint64_t> commits{0};
  // One thread, so that entries follow each other. Last: its destructor finishes what was accepted.
  BlockingPool turns;

  Task<Result<AuditHead>> read_head() {
    auto query = head_query();
    CO_TRY(auto rows, co_await database.query(std::move(query)));
    co_return head_of(rows);
  }

  Task<Result<AuditHead>> commit(Unit unit, const std::vector<AuditEvent>& events);
  Task<Result<AuditReport>> verify(std::vector<AuditHead> anchors);
};

Task<Result<AuditHead>> AuditLog::State::commit(Unit unit, const std::vector<AuditEvent>& events) {
  if (!last_head) {
    CO_TRY(last_head, co_await read_head());
  }
  for (int turn = 0;; ++turn) {
    auto head = *last_head;
    Unit whole = unit;
    for (const auto& event : events) {
      auto entry = next_entry(head, clock.now(), event);
      add_entry(whole, entry);
      head = {entry.sequence, entry.hash};
    }
    move_head(whole, *last_head, head);
    auto done = co_await database.execute(std::move(whole));
    if (done) {
      last_head = head;
      ++commits;
      co_return head;
    }
    auto stale = *last_head;
    last_head.reset();
    auto code = done.error().code;
    // A taken sequence is a lost turn as much as a moved head is.
    bool may_be_turn = code == ErrorCode::Conflict || code == ErrorCode::AlreadyExists;
    if (!may_be_turn || turn == kTurnsMax) co_return Failure(std::move(done).error());
    CO_TRY(last_head, co_await read_head());
    if (*last_head == stale) co_return Failure(std::move(done).error());
  }
}

Task<Result<AuditReport>> AuditLog::State::verify(std::vector<AuditHead> anchors) {
  ChainVerifier verifier(std::move(anchors));
  auto last = std::numeric_limits<std::int64_t>::min();
  for (;;) {
    std::vector<Query> queries;
    queries.push_back(head_query());
    SqlParameters parameters{last, kVerifyPage};
    queries.emplace_back(fmt::format("SELECT {} FROM audit_entry WHERE sequence > $1 "
                                     "ORDER BY sequence LIMIT $2",
                                     kColumns),
                         std::move(parameters));
    CO_TRY(auto results, co_await database.snapshot(std::move(queries)));
    bool intact = true;
    for (const auto& row : results[1]) {
      last = row.integer(0);
      intact = verifier.add(entry_of(row));
      if (!intact) break;
    }
    if (intact && static_cast<std::int64_t>(results[1].size()) == kVerifyPage) continue;
    // The head as it was with the last page: nothing can have been added in between.
    CO_TRY(auto head, head_of(results[0]));
    co_return verifier.finish(head);
  }
}

AuditLog::AuditLog(Database& database, Clock& clock)
    : state_(std::make_unique<State>(database, clock)) {}
AuditLog::~AuditLog() = default;

Migration AuditLog::migration() {
  return {"audit", 1,
          "CREATE TABLE audit_entry ("
          "sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, "
          "tenant TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL, before TEXT, "
          "after TEXT, generation INTEGER NOT NULL, previous_hash TEXT NOT NULL, "
          "hash TEXT NOT NULL) STRICT; "
          "CREATE INDEX audit_entry_object ON audit_entry (object, sequence); "
          "CREATE INDEX audit_entry_actor ON audit_entry (actor, sequence); "
          "CREATE TABLE audit_head (id INTEGER PRIMARY KEY CHECK (id = 1), "
          "entries INTEGER NOT NULL, hash TEXT NOT NULL) STRICT; "
          "INSERT INTO audit_head (id, entries, hash) VALUES (1, 0, "
          "'0000000000000000000000000000000000000000000000000000000000000000')"};
}

Task<Result<AuditHead>> AuditLog::commit(Unit unit, std::vector<AuditEvent> events) {
  std::function<Result<AuditHead>()> turn = [state = state_.get(), &unit, &events] {
    return run_until_done(state->commit(std::move(unit), events));
  };
  co_return co_await state_->turns.run<AuditHead>(std::move(turn));
}

std::uint64_t AuditLog::commits() const {
  return state_->commits;
}

Task<Result<std::vector<AuditEntry>>> AuditLog::list(AuditQuery query) {
  std::string sql = fmt::format("SELECT {} FROM audit_entry WHERE 1 = 1", kColumns);
  SqlParameters parameters;
  auto where = [&](std::string_view condition, SqlValue value) {
    parameters.push_back(std::move(value));
    sql += fmt::format(" AND {} ${}", condition, parameters.size());
  };
  if (query.tenant) where("tenant =", *query.tenant);
  if (query.actor) where("actor =", *query.actor);
  if (query.object) where("object =", *query.object);
  if (query.object_kind) {
    auto start = *query.object_kind + " ";
    where(fmt::format("substr(object, 1, {}) =", characters(start)), start);
  }
  if (query.object_name) {
    auto end = " " + *query.object_name;
    where(fmt::format("substr(object, length(object) - {}) =", characters(end) - 1), end);
  }
  if (query.before_sequence > 0) {
    where("sequence <", static_cast<std::int64_t>(query.before_sequence));
  }
  auto limit = static_cast<std::int64_t>(std::min(query.limit, kListMax));
  sql += fmt::format(" ORDER BY sequence DESC LIMIT {}", limit);
  Query asked(std::move(sql), std::move(parameters));
  CO_TRY(auto rows, co_await state_->database.query(std::move(asked)));
  std::vector<AuditEntry> entries;
  for (const auto& row : rows) entries.push_back(entry_of(row));
  co_return entries;
}

Task<Result<AuditHead>> AuditLog::head() {
  co_return co_await state_->read_head();
}

Task<Result<AuditReport>> AuditLog::verify(std::vector<AuditHead> anchors) {
  co_return co_await state_->verify(std::move(anchors));
}

}  // namespace weft::estate
