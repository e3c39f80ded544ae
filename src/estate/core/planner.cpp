#include "estate/planner.h"

#include <algorithm>
#include <deque>
#include <set>

#include "base/suggestion.h"
#include "estate/core/field_changes.h"
#include "estate/core/pointer_pattern.h"
#include "estate/core/reference_index.h"

namespace weft::estate {

namespace {

bool by_kind(const PlannedChange& a, const PlannedChange& b) {
  return std::tie(a.id.kind, a.id.tenant, a.id.name) < std::tie(b.id.kind, b.id.tenant, b.id.name);
}

class Planner {
 public:
  Planner(const KindSet& kinds, const EstateView& current, const ReferenceIndex& references,
          const ChangeSet& changes)
      : kinds_(kinds),
        current_(current),
        references_(references),
        changes_(changes),
        builder_(current) {}

  Planned run(std::span<EstateCheck* const> checks) {
    planned_.plan.generation = current_.generation();
    for (const auto& resource : changes_.resources) put(resource);
    for (const auto& id : changes_.deletions) remove_named(id);
    prune();
    std::ranges::sort(planned_.plan.changes, by_kind);
    planned_.desired = std::move(builder_).build(current_.generation() + 1);
    check_schemas();
    if (refused()) return std::move(planned_);
    check_references();
    check_irreversible();
    if (refused()) return std::move(planned_);
    // What the kinds' own checks may rely on holds from here.
    check_kinds();
    if (refused()) return std::move(planned_);
    for (auto* check : checks) {
      check->check(planned_.desired, planned_.plan.changes, planned_.plan.findings);
    }
    return std::move(planned_);
  }

 private:
  bool refused() const { return planned_.plan.is_refused(); }
  void error(Diagnostic diagnostic) {
    planned_.plan.findings.errors.push_back(std::move(diagnostic));
  }
  void warn(Diagnostic diagnostic) {
    planned_.plan.findings.warnings.push_back(std::move(diagnostic));
  }

  void put(const ResourcePtr& resource);
  void remove_named(const ResourceId& id);
  void remove(const ResourceId& id, const Entry& entry);
  void prune();
  void check_schemas();
  void check_references();
  void check_references_of(const Resource& resource);
  void check_irreversible();
  void check_kinds();
  std::set<ResourceId> changed_ids() const;
  std::set<const Resource*> changed_and_dependent() const;

  const std::string& manager_of(const ResourceId& id) const {
    auto own = changes_.managers.find(id);
    return own == changes_.managers.end() ? changes_.manager : own->second;
  }

  const KindSet& kinds_;
  const EstateView& current_;
  const ReferenceIndex& references_;
  const ChangeSet& changes_;
  ViewBuilder builder_;
  std::set<ResourceId> named_;
  Planned planned_;
};

void Planner::put(const ResourcePtr& resource) {
  const auto& id = resource->id();
  if (!named_.insert(id).second) {
    error(resource->at("", fmt::format("{} is given twice", id.text())));
    return;
  }
  const auto* kind = kinds_.find(id.kind);
  if (kind == nullptr) {
    auto names = kinds_.names();
    error(resource->at("/kind", fmt::format("unknown kind \"{}\"{}; known kinds: {}", id.kind,
                                            did_you_mean(id.kind, names), fmt::join(names, ", "))));
    return;
  }
  PlannedChange change{ChangeAction::Create, id, nullptr, resource, manager_of(id), {}};
  if (const auto* entry = current_.find_entry(id)) {
    change.before = entry->resource;
    // Equal resources have equal texts, which are compared faster than trees.
    if (entry->resource->text() != resource->text()) {
      change.fields = field_changes(entry->resource->root(), resource->root(), kind->secret_fields);
    }
    change.action = change.fields.empty() ? ChangeAction::Unchanged : ChangeAction::Update;
    if (entry->managed_by != change.managed_by) {
      change.action = ChangeAction::Update;
      warn(resource->at("", fmt::format("{} was managed by \"{}\" and is now managed by \"{}\"",
                                        id.text(), entry->managed_by, change.managed_by)));
    }
  }
  if (change.action == ChangeAction::Unchanged) {
    change.after = change.before;
  } else {
    builder_.put({resource, change.managed_by, current_.generation() + 1});
  }
  planned_.plan.changes.push_back(std::move(change));
}

void Planner::remove_named(const ResourceId& id) {
  if (const auto* entry = current_.find_entry(id); entry != nullptr && named_.insert(id).second) {
    remove(id, *entry);
    return;
  }
  auto problem = named_.contains(id) ? "is given and deleted in one change" : "does not exist";
  error({id.text(), 0, 0, "", fmt::format("{} {}", id.text(), problem)});
}

void Planner::remove(const ResourceId& id, const Entry& entry) {
  planned_.plan.changes.push_back(
      {ChangeAction::Delete, id, entry.resource, nullptr, entry.managed_by, {}});
  builder_.remove(id);
}

void Planner::prune() {
  if (changes_.prune == Prune::Keep) return;
  if (changes_.resources.empty() && !changes_.allow_empty) {
    error({"", 0, 0, "",
           "there is no resource at all, which would delete everything; allow an empty estate "
           "explicitly (`weft apply --allow-empty`, allowEmpty=true) if that is meant"});
    return;
  }
  current_.for_each([&](const Entry& entry) {
    if (entry.managed_by != changes_.manager || named_.contains(entry.resource->id())) return;
    const auto& tenant = changes_.prune_tenant;
    if (!tenant.empty() && entry.resource->tenant() != tenant) return;
    remove(entry.resource->id(), entry);
  });
}

void Planner::check_schemas() {
  for (const auto& change : planned_.plan.changes) {
    if (change.action != ChangeAction::Create && change.action != ChangeAction::Update) continue;
    const auto& kind = *kinds_.find(change.id.kind);
    for (auto& issue : kinds_.validator(kind).validate(change.after->spec())) {
      error(change.after->at("/spec" + issue.pointer, std::move(issue.message)));
    }
  }
}

void Planner::check_references() {
  std::set<ResourceId> bereft;  // refer to what goes, and stay as they are
  auto changed = changed_ids();
  for (const auto& change : planned_.plan.changes) {
    if (change.action != ChangeAction::Delete) continue;
    for (const auto& id : references_.referrers(change.id)) {
      if (!changed.contains(id)) bereft.insert(id);
    }
  }
  for (const auto& change : planned_.plan.changes) {
    const bool is_new = change.action != ChangeAction::Unchanged && change.after;
    if (is_new) check_references_of(*change.after);
  }
  for (const auto& id : bereft) check_references_of(*current_.find(id));
}

std::set<ResourceId> Planner::changed_ids() const {
  std::set<ResourceId> changed;
  for (const auto& change : planned_.plan.changes) {
    if (change.action != ChangeAction::Unchanged) changed.insert(change.id);
  }
  return changed;
}

void Planner::check_references_of(const Resource& resource) {
  for (const auto& reference : references_of(kinds_, resource)) {
    ResourceId target{resource.tenant(), reference.kind, reference.name};
    if (planned_.desired.find(target) != nullptr) continue;
    if (current_.find(target) != nullptr) {
      error(resource.at(reference.pointer, fmt::format("{} needs {}, which this change deletes",
                                                       resource.id().text(), target.text())));
      continue;
    }
    std::vector<std::string> names;
    for (const auto& other : planned_.desired.of_kind(target.tenant, target.kind)) {
      names.push_back(other->name());
    }
    error(resource.at(reference.pointer, fmt::format("{} does not exist{}", target.text(),
                                                     did_you_mean(target.name, names))));
  }
}

void Planner::check_irreversible() {
  for (const auto& change : planned_.plan.changes) {
    if (change.action != ChangeAction::Update) continue;
    const auto& kind = *kinds_.find(change.id.kind);
    if (kind.irreversible.empty()) continue;
    auto places = changed_places(change.before->root(), change.after->root());
    for (const auto& field : kind.irreversible) {
      auto place = std::ranges::find_if(places, [&](const std::string& pointer) {
        return is_at_or_below(pointer, field.pointer);
      });
      if (place == places.end()) continue;
      error(change.after->at(*place, fmt::format("{} of {} cannot be changed: {}", *place,
                                                 change.id.text(), field.reason)));
    }
  }
}

void Planner::check_kinds() {
  auto& findings = planned_.plan.findings;
  for (const auto& change : planned_.plan.changes) {
    if (change.action != ChangeAction::Update && change.action != ChangeAction::Delete) continue;
    const auto* kind = kinds_.find(change.id.kind);
    if (kind == nullptr || !kind->check_change) continue;
    kind->check_change(*change.before, change.after.get(), planned_.desired, findings);
  }
  for (const auto* resource : changed_and_dependent()) {
    const auto* kind = kinds_.find(resource->kind());
    if (kind != nullptr && kind->check) kind->check(*resource, planned_.desired, findings);
  }
}

// What changes, and everything that refers to it directly or through others.
std::set<const Resource*> Planner::changed_and_dependent() const {
  std::set<const Resource*> found;
  std::set<ResourceId> visited = changed_ids();
  std::deque<ResourceId> to_visit(visited.begin(), visited.end());
  for (const auto& change : planned_.plan.changes) {
    if (change.action != ChangeAction::Unchanged && change.after) found.insert(change.after.get());
  }
  // Referrers that change themselves are among the found already, whatever they refer to now.
  while (!to_visit.empty()) {
    for (const auto& id : references_.referrers(to_visit.front())) {
      if (!visited.insert(id).second) continue;
      found.insert(current_.find(id));
      to_visit.push_back(id);
    }
    to_visit.pop_front();
  }
  return found;
}

}  // namespace

Planned plan_changes(const KindSet& kinds, std::span<EstateCheck* const> checks,
                     const EstateView& current, const ReferenceIndex& references,
                     const ChangeSet& changes) {
  Planner planner(kinds, current, references, changes);
  return planner.run(checks);
}

Planned plan_changes(const KindSet& kinds, std::span<EstateCheck* const> checks,
                     const EstateView& current, const ChangeSet& changes) {
  ReferenceIndex references(kinds, current);
  return plan_changes(kinds, checks, current, references, changes);
}

}  // namespace weft::estate
