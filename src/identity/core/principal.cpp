#include "identity/principal.h"

#include <fmt/format.h>

#include <algorithm>

#include "estate/resource.h"

namespace weft::identity {

std::string_view name(PrincipalType type) {
  switch (type) {
    case PrincipalType::User:
      return "user";
    case PrincipalType::Service:
      return "service";
    case PrincipalType::Client:
      return "client";
  }
  return "client";
}

Principal make_principal(PrincipalType type, std::string principal_name, std::string tenant,
                         std::vector<Grant> grants, TenantScope scope) {
  std::ranges::stable_partition(grants,
                                [](const Grant& grant) { return grant.effect == Effect::Deny; });
  Principal made{type, std::move(principal_name), std::move(tenant), scope, std::move(grants), {}};
  made.id = fmt::format("{}:{}", name(type), made.name);
  if (made.tenant != estate::kDefaultTenant) made.id += "@" + made.tenant;
  return made;
}

}  // namespace weft::identity
