#include "estate/core/reference_index.h"

namespace weft::estate {

std::vector<Reference> references_of(const KindSet& kinds, const Resource& resource) {
  const auto* kind = kinds.find(resource.kind());
  if (kind == nullptr || !kind->references) return {};
  return kind->references(resource.spec());
}

ReferenceIndex::ReferenceIndex(const KindSet& kinds, const EstateView& view) {
  view.for_each([&](const Entry& entry) { add(kinds, *entry.resource); });
}

void ReferenceIndex::follow(const KindSet& kinds, const std::vector<PlannedChange>& changes) {
  for (const auto& change : changes) {
    if (change.action == ChangeAction::Unchanged) continue;
    if (change.before) remove(kinds, *change.before);
    if (change.after) add(kinds, *change.after);
  }
}

const std::set<ResourceId>& ReferenceIndex::referrers(const ResourceId& target) const {
  static const std::set<ResourceId> nobody;
  auto found = referrers_.find(target);
  return found == referrers_.end() ? nobody : found->second;
}

void ReferenceIndex::add(const KindSet& kinds, const Resource& resource) {
  for (const auto& reference : references_of(kinds, resource)) {
    referrers_[{resource.tenant(), reference.kind, reference.name}].insert(resource.id());
  }
}

void ReferenceIndex::remove(const KindSet& kinds, const Resource& resource) {
  for (const auto& reference : references_of(kinds, resource)) {
    auto found = referrers_.find({resource.tenant(), reference.kind, reference.name});
    if (found == referrers_.end()) continue;
    found->second.erase(resource.id());
    if (found->second.empty()) referrers_.erase(found);
  }
}

}  // namespace weft::estate
