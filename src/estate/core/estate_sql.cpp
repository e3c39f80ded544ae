#include "estate/core/estate_sql.h"

#include <algorithm>
#include <set>

namespace weft::estate {

namespace {

constexpr std::size_t kGenerationsMax = 1000;

std::int64_t number(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

SqlValue text_of(const ResourcePtr& resource) {
  return resource ? SqlValue(std::string(resource->text())) : SqlValue();
}

void write_resource(Unit& unit, const PlannedChange& change, std::int64_t generation,
                    const Entry* entry) {
  const auto& id = change.id;
  auto otherwise = fmt::format("{} was changed by somebody else", id.text());
  switch (change.action) {
    case ChangeAction::Create:
      unit.add(
          "INSERT INTO estate_resource (tenant, kind, name, managed_by, generation, document) "
          "VALUES ($1, $2, $3, $4, $5, $6)",
          {id.tenant, id.kind, id.name, change.managed_by, generation, text_of(change.after)});
      return;
    case ChangeAction::Update:
      unit.add_guarded(1, std::move(otherwise),
                       "UPDATE estate_resource SET managed_by = $4, generation = $5, document = $6 "
                       "WHERE tenant = $1 AND kind = $2 AND name = $3 AND generation = $7",
                       {id.tenant, id.kind, id.name, change.managed_by, generation,
                        text_of(change.after), number(entry->generation)});
      return;
    case ChangeAction::Delete:
      unit.add_guarded(1, std::move(otherwise),
                       "DELETE FROM estate_resource "
                       "WHERE tenant = $1 AND kind = $2 AND name = $3 AND generation = $4",
                       {id.tenant, id.kind, id.name, number(entry->generation)});
      return;
    case ChangeAction::Unchanged:
      return;
  }
}

void write_change(Unit& unit, const PlannedChange& change, std::int64_t generation,
                  const Entry* entry) {
  auto managed_before = entry == nullptr ? SqlValue() : SqlValue(entry->managed_by);
  unit.add(
      "INSERT INTO estate_change "
      "(generation, tenant, kind, name, before, managed_before, after) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7)",
      {generation, change.id.tenant, change.id.kind, change.id.name, text_of(change.before),
       std::move(managed_before), text_of(change.after)});
}

}  // namespace

std::string estate_schema() {
  return "CREATE TABLE estate_head (id INTEGER PRIMARY KEY CHECK (id = 1), "
         "generation INTEGER NOT NULL) STRICT; "
         "INSERT INTO estate_head (id, generation) VALUES (1, 0); "
         "CREATE TABLE estate_generation (number INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL, "
         "actor TEXT NOT NULL, note TEXT NOT NULL, rollback_to INTEGER, created INTEGER NOT NULL, "
         "updated INTEGER NOT NULL, deleted INTEGER NOT NULL) STRICT; "
         "CREATE TABLE estate_resource (tenant TEXT NOT NULL, kind TEXT NOT NULL, "
         "name TEXT NOT NULL, managed_by TEXT NOT NULL, generation INTEGER NOT NULL, "
         "document TEXT NOT NULL, PRIMARY KEY (kind, tenant, name)) STRICT; "
         "CREATE TABLE estate_change (generation INTEGER NOT NULL, tenant TEXT NOT NULL, "
         "kind TEXT NOT NULL, name TEXT NOT NULL, before TEXT, managed_before TEXT, after TEXT, "
         "PRIMARY KEY (generation, kind, tenant, name)) STRICT";
}

Unit generation_unit(const Generation& generation, const Plan& plan, const EstateView& current,
                     const AuditHead& anchor) {
  Unit unit;
  std::string move = "UPDATE estate_head SET generation = $1 WHERE id = 1 AND generation = $2";
  SqlParameters parameters{number(generation.number), number(current.generation())};
  if (anchor.count > 0) {
    move += " AND EXISTS (SELECT 1 FROM audit_entry WHERE sequence = $3 AND hash = $4)";
    parameters.emplace_back(number(anchor.count));
    parameters.emplace_back(anchor.hash);
  }
  unit.add_guarded(1, "the estate was changed by somebody else", std::move(move),
                   std::move(parameters));
  auto rollback_to =
      generation.rollback_to ? SqlValue(number(*generation.rollback_to)) : SqlValue();
  unit.add(
      "INSERT INTO estate_generation "
      "(number, applied_at, actor, note, rollback_to, created, updated, deleted) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
      {number(generation.number), to_unix_ms(generation.applied_at), generation.actor,
       generation.note, std::move(rollback_to), number(generation.created),
       number(generation.updated), number(generation.deleted)});
  for (const auto& change : plan.changes) {
    if (change.action == ChangeAction::Unchanged) continue;
    const auto* entry = current.find_entry(change.id);
    write_resource(unit, change, number(generation.number), entry);
    write_change(unit, change, number(generation.number), entry);
  }
  return unit;
}

std::vector<Query> load_queries() {
  std::vector<Query> queries;
  queries.emplace_back("SELECT generation FROM estate_head WHERE id = 1");
  queries.emplace_back("SELECT managed_by, generation, document FROM estate_resource");
  return queries;
}

Result<EstateView> view_of(const std::vector<Rows>& results) {
  if (results.at(0).size() != 1) {
    return fail(ErrorCode::DataLoss, "the estate has lost its head in the state database");
  }
  ViewBuilder builder;
  for (const auto& row : results.at(1)) {
    TRY(auto resource, Resource::from_text(row.text(2)));
    builder.put({std::move(resource), row.text(0), static_cast<std::uint64_t>(row.integer(1))});
  }
  return std::move(builder).build(static_cast<std::uint64_t>(results[0][0].integer(0)));
}

Query changes_after(std::uint64_t generation, const std::string& tenant) {
  SqlParameters parameters{number(generation)};
  if (!tenant.empty()) parameters.emplace_back(tenant);
  return Query(fmt::format("SELECT kind, tenant, name, before, managed_before FROM estate_change "
                           "WHERE generation > $1{} ORDER BY generation",
                           tenant.empty() ? "" : " AND tenant = $2"),
               std::move(parameters));
}

Result<ChangeSet> undo(const Rows& changes, const EstateView& current) {
  ChangeSet back;
  std::set<ResourceId> seen;
  for (const auto& row : changes) {
    ResourceId id{row.text(1), row.text(0), row.text(2)};
    // The oldest change after the generation knows how the resource was at that time.
    if (!seen.insert(id).second) continue;
    if (row.is_null(3)) {
      if (current.find(id) != nullptr) back.deletions.push_back(id);
      continue;
    }
    TRY(auto resource, Resource::from_text(row.text(3)));
    back.resources.push_back(std::move(resource));
    back.managers.emplace(id, row.text(4));
  }
  return back;
}

Query generations_query(std::uint64_t before, std::size_t limit, const std::string& tenant) {
  auto rows = number(std::min(limit, kGenerationsMax));
  auto bound = before == 0 ? std::numeric_limits<std::int64_t>::max() : number(before);
  if (tenant.empty()) {
    std::string sql =
        "SELECT number, applied_at, actor, note, rollback_to, created, updated, deleted "
        "FROM estate_generation WHERE number < $1 ORDER BY number DESC LIMIT $2";
    return Query(std::move(sql), {bound, rows});
  }
  std::string sql =
      "SELECT g.number, g.applied_at, g.actor, g.note, g.rollback_to, "
      "COUNT(CASE WHEN c.before IS NULL THEN 1 END), "
      "COUNT(CASE WHEN c.before IS NOT NULL AND c.after IS NOT NULL THEN 1 END), "
      "COUNT(CASE WHEN c.after IS NULL THEN 1 END) "
      "FROM estate_generation g JOIN estate_change c ON c.generation = g.number "
      "WHERE g.number < $1 AND c.tenant = $3 "
      "GROUP BY g.number, g.applied_at, g.actor, g.note, g.rollback_to "
      "ORDER BY g.number DESC LIMIT $2";
  return Query(std::move(sql), {bound, rows, tenant});
}

Generation generation_of(const Row& row) {
  auto count = [&](std::size_t column) { return static_cast<std::uint64_t>(row.integer(column)); };
  Generation generation;
  generation.number = count(0);
  generation.applied_at = from_unix_ms(row.integer(1));
  generation.actor = row.text(2);
  generation.note = row.text(3);
  if (!row.is_null(4)) generation.rollback_to = count(4);
  generation.created = count(5);
  generation.updated = count(6);
  generation.deleted = count(7);
  return generation;
}

}  // namespace weft::estate
