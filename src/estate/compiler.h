// The ports by which features take part in an apply. Both are implemented by features and
// registered by hand in app.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

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
// dropped. compile() may block, must not touch anything outside its snapshot, and should keep what
// it built under Resource::hash(). publish() swaps a pointer: it cannot fail and must not wait.
class Compiler {
 public:
  virtual ~Compiler() = default;
  virtual std::string_view name() const = 0;
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
