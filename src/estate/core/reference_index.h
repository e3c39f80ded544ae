// Who refers to whom in a generation, kept from one generation to the next: what depends on a
// change is found without a look at the rest of the estate. One thread at a time.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "estate/kind.h"
#include "estate/plan.h"
#include "estate/view.h"

namespace weft::estate {

// What a resource refers to; nothing for a kind that this program does not know.
std::vector<Reference> references_of(const KindSet& kinds, const Resource& resource);

class ReferenceIndex {
 public:
  ReferenceIndex() = default;
  ReferenceIndex(const KindSet& kinds, const EstateView& view);

  // After these changes of the view that it was made of.
  void follow(const KindSet& kinds, const std::vector<PlannedChange>& changes);

  const std::set<ResourceId>& referrers(const ResourceId& target) const;

 private:
  void add(const KindSet& kinds, const Resource& resource);
  void remove(const KindSet& kinds, const Resource& resource);

  std::map<ResourceId, std::set<ResourceId>> referrers_;
};

}  // namespace weft::estate
