// A change of the estate, ready to be planned or applied. A value.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "estate/resource.h"

namespace weft::estate {

enum class Prune : std::uint8_t {
  Keep,    // touch only the given resources (admin API)
  Remove,  // also delete what the same manager applied earlier and is not given now (folder)
};

struct ChangeSet {
  ChangeSet() {}

  std::vector<ResourcePtr> resources;
  std::vector<ResourceId> deletions;
  // Who manages the resources from now on: "folder", "api", "kafka", "folder:<name>" …
  std::string manager = "api";
  // Where a resource's manager is another (a rollback gives each its own back).
  std::map<ResourceId, std::string> managers;
  Prune prune = Prune::Keep;
  std::string prune_tenant{};  // deletes of this tenant alone; empty: of all
  // Prune with no resource at all deletes everything of the manager: refused unless set.
  bool allow_empty = false;
  std::string note;  // shown in the list of generations
};

}  // namespace weft::estate
