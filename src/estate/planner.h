// Judges a change set against an estate: what would change, and everything that speaks against it.
// Pure: also the offline `weft validate`, against an empty view. Any thread.
//
// In this order: duplicates and unknown deletions, schemas of what changes, references (dangling
// ones also where something is deleted), irreversible fields and check_change of the kinds, check
// of the kinds for what changes and for everything that refers to it, then the estate checks.
#pragma once

#include <span>

#include "estate/change_set.h"
#include "estate/compiler.h"
#include "estate/kind.h"
#include "estate/plan.h"
#include "estate/view.h"

namespace weft::estate {

struct Planned {
  Plan plan;
  EstateView desired;  // of the next generation; only meaningful when the plan is not refused
};

class ReferenceIndex;

// `references` are those of `current`. The work grows with the change set and with what depends on
// its changes, not with the estate.
Planned plan_changes(const KindSet& kinds, std::span<EstateCheck* const> checks,
                     const EstateView& current, const ReferenceIndex& references,
                     const ChangeSet& changes);

// Looks all references up first.
Planned plan_changes(const KindSet& kinds, std::span<EstateCheck* const> checks,
                     const EstateView& current, const ChangeSet& changes);

}  // namespace weft::estate
