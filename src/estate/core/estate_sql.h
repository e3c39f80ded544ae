// The estate's tables: what is written for a generation, and how it is read back. Pure: text and
// values only. Layout: docs/formats/state-database.md.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "estate/audit.h"
#include "estate/change_set.h"
#include "estate/generation.h"
#include "estate/plan.h"
#include "estate/view.h"
#include "storage/database.h"

namespace weft::estate {

std::string estate_schema();

// Everything that one generation writes; guarded by the generation and the resources that it
// replaces, and by `anchor`, an entry of the audit trail that `current` is known to follow: numbers
// alone repeat when a database lost its last generations. Without entries it guards nothing.
Unit generation_unit(const Generation& generation, const Plan& plan, const EstateView& current,
                     const AuditHead& anchor);

// The current generation and all resources, for one snapshot.
std::vector<Query> load_queries();
Result<EstateView> view_of(const std::vector<Rows>& results);

// What changed after a generation, oldest first; of one tenant when it is not empty.
Query changes_after(std::uint64_t generation, const std::string& tenant);
// The change that brings those resources back.
Result<ChangeSet> undo(const Rows& changes, const EstateView& current);

// Newest first. Of one tenant when it is not empty: those that changed it, with counts of its own
// resources alone.
Query generations_query(std::uint64_t before, std::size_t limit, const std::string& tenant);
Generation generation_of(const Row& row);

}  // namespace weft::estate
