// The kinds that identity declares: Tenant, Role, Client, AccessRule,
// TokenIssuer. Reference: docs/estate.md.
#pragma once

#include <vector>

#include "estate/compiler.h"
#include "estate/kind.h"

namespace weft::identity {

std::vector<estate::Kind> identity_kinds();

// Refuses resources of a tenant that no Tenant resource declares. The tenant "default" always
// exists; Tenant resources themselves live in it.
class TenantExists final : public estate::EstateCheck {
 public:
  std::string_view name() const override { return "tenant-exists"; }
  void check(const estate::EstateView& desired, std::span<const estate::PlannedChange> changes,
             estate::Findings& findings) override;
};

}  // namespace weft::identity
