// The ports by which features take part in an apply. Both are implemented by features and
// registered by hand in app.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "estate/kind.h"
#include "estate/plan.h"
#include "estate/view.h"

namespace weft::estate {

// A feature's part in an apply: it builds an immutable snapshot of what its hot paths read.
//
// Order: compile() of every compiler; only when all succeeded and the generation is committed,
// publish() of every compiler. Both are called on the estate's thread, one generation after
// another; a generation whose compile or commit failed is never published, and the snapshot is
// dropped. A generation that changes none of kinds() is neither compiled nor published. compile()
// may block, must not touch anything outside its snapshot, and keeps what it built under
// Resource::hash(), so that it builds only what a generation changes. publish() swaps a pointer: it
// cannot fail and must not wait.
class Compiler {
 public:
  virtual ~Compiler() = default;
  virtual std::string_view name() const = 0;
  // Whose resources it reads.
  virtual std::vector<std::string> kinds() const = 0;
  // How many resources it has compiled since the start; what it kept is not counted. Any thread.
  virtual std::uint64_t compilations() const = 0;
  // The error names the resource, e.g. with ResourceId::text().
  virtual Result<std::shared_ptr<const void>> compile(const EstateView& view) = 0;
  virtual void publish(std::uint64_t generation, std::shared_ptr<const void> snapshot) = 0;
};

// A rule over a whole change: policy, freeze window, approval, existence of tenants. Called by plan
// and apply on the estate's thread after the kinds' own checks; must not have effects.
class EstateCheck {
 public:
  virtual ~EstateCheck() = default;
  virtual std::string_view name() const = 0;
  virtual void check(const EstateView& desired, std::span<const PlannedChange> changes,
                     Findings& findings) = 0;
};

}  // namespace weft::estate
