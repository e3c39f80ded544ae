#include "identity/decisions.h"

#include <fmt/format.h>

#include <algorithm>

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

namespace {

// How to come by what was refused, where a name decides: groups and transactional ids.
std::string remedy(const Principal& principal, std::string_view action,
                   const ResourceRef& resource) {
  const auto area = action.substr(0, action.find('.'));
  if (area != "group" && area != "transaction") return {};
  auto text = fmt::format("; grant it {} on \"{}\"", action, resource.name);
  const bool has_own = std::ranges::any_of(principal.grants, [&](const Grant& grant) {
    return grant.origin == kOwnName && grant.action.starts_with(area);
  });
  if (has_own) {
    text += fmt::format(
        ", or take the name \"{0}\", or one that begins with \"{0}-\", \"{0}.\" or "
        "\"{0}_\"",
        principal.name);
  }
  return text;
}

}  // namespace

Decision Decisions::decide(const Principal& principal, std::string_view action,
                           const ResourceRef& resource) const {
  if (principal.scope == TenantScope::Own && principal.tenant != resource.tenant) {
    return {DecisionReason::OtherTenant, nullptr};
  }
  for (const auto& grant : principal.grants) {
    if (matches_pattern(grant.action, action) && matches_pattern(grant.resource, resource.name)) {
      // The first one decides: denials come before permissions.
      const bool is_denial = grant.effect == Effect::Deny;
      return {is_denial ? DecisionReason::Denied : DecisionReason::Granted, &grant};
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
      return fmt::format("{} {}: none of its {} grants covers that{}", what, resource.name,
                         principal.grants.size(), remedy(principal, action, resource));
    case DecisionReason::Denied:
      return fmt::format("{} {}: {} denies {} on {}", what, resource.name, decision.grant->origin,
                         decision.grant->action, decision.grant->resource);
  }
  return what;
}

}  // namespace weft::identity
