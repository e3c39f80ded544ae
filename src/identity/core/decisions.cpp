#include "identity/decisions.h"

#include <fmt/format.h>

namespace weft::identity {

bool matches_pattern(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  // Where to try again: behind the last star, one character of text further than last time.
  std::size_t behind_star = std::string_view::npos;
  std::size_t retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      behind_star = ++p;
      retry = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (behind_star != std::string_view::npos) {
      p = behind_star;
      t = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

Decision Decisions::decide(const Principal& principal, std::string_view action,
                           const ResourceRef& resource) const {
  if (principal.scope == TenantScope::Own && principal.tenant != resource.tenant) {
    return {DecisionReason::OtherTenant, nullptr};
  }
  for (const auto& grant : principal.grants) {
    if (matches_pattern(grant.action, action) && matches_pattern(grant.resource, resource.name)) {
      return {DecisionReason::Granted, &grant};
    }
  }
  return {DecisionReason::NoGrant, nullptr};
}

std::string Decisions::explain(const Decision& decision, const Principal& principal,
                               std::string_view action, const ResourceRef& resource) const {
  auto what =
      fmt::format("{} {} {} {}", principal.id, decision ? "may" : "may not", action, resource.kind);
  switch (decision.reason) {
    case DecisionReason::Granted:
      return fmt::format("{} {}: {} grants {} on {}", what, resource.name, decision.grant->origin,
                         decision.grant->action, decision.grant->resource);
    case DecisionReason::OtherTenant:
      return fmt::format("{} {}: it belongs to tenant {}, the principal to {}", what, resource.name,
                         resource.tenant, principal.tenant);
    case DecisionReason::NoGrant:
      return fmt::format("{} {}: none of its {} grants covers that", what, resource.name,
                         principal.grants.size());
  }
  return what;
}

}  // namespace weft::identity
