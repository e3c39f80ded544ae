#include "identity/kinds.h"

#include <algorithm>
#include <string>

#include "base/suggestion.h"
#include "identity/decisions.h"
#include "identity/token_issuers.h"

namespace weft::identity {

namespace {

using estate::Findings;
using estate::Kind;
using estate::Reference;
using estate::Resource;

constexpr std::string_view kTenantSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "displayName": {"type": "string", "description": "The name that people see"},
    "description": {"type": "string"}
  }
})json";

// Shared by the schemas below: an array of grants.
constexpr std::string_view kGrants = R"json({
      "type": "array",
      "items": {
        "type": "object",
        "additionalProperties": false,
        "required": ["action", "resource"],
        "properties": {
          "action": {"type": "string", "pattern": "^(\\*|[a-z]+\\.(\\*|[a-z]+))$",
                     "description": "What is allowed: stream.read, group.use, route.call, admin.* …"},
          "resource": {"type": "string", "minLength": 1,
                       "description": "Names it is allowed on; * stands for any run of characters"}
        }
      }
    })json";

std::string role_schema() {
  return fmt::format(R"json({{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "required": ["grants"],
  "properties": {{
    "description": {{"type": "string"}},
    "grants": {}
  }}
}})json",
                     kGrants);
}

std::string client_schema() {
  return fmt::format(R"json({{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {{
    "description": {{"type": "string"}},
    "roles": {{"type": "array", "uniqueItems": true, "items": {{"type": "string"}},
              "description": "Names of Role resources of the same tenant"}},
    "grants": {},
    "certificates": {{"type": "array", "uniqueItems": true,
                     "description": "Client certificates it logs in with: a subject (CN=shop,O=Acme) or an alternative name (dns:shop.acme.test, uri:…, email:…)",
                     "items": {{"type": "string",
                               "pattern": "^(dns:[^A-Z]+|uri:.+|email:.+|[A-Za-z0-9.]+=.+)$"}}}},
    "apiKeys": {{"type": "array", "uniqueItems": true,
                "description": "Keys whose values come from the environment or the vault; a key itself is never written into a document",
                "items": {{"type": "string",
                          "pattern": "^\\$\\{{(env:[A-Za-z_][A-Za-z0-9_]*|secret:[^{{}}]+)\\}}$"}}}}
  }}
}})json",
                     kGrants);
}

std::string access_rule_schema() {
  return R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "required": ["client", "action", "resource", "effect"],
  "properties": {
    "description": {"type": "string"},
    "client": {"type": "string", "minLength": 1,
               "description": "Whom it is for: the name of a Client of the same tenant, there or not, or * for all"},
    "action": {"type": "string", "pattern": "^(\\*|[a-z]+\\.(\\*|[a-z]+))$",
               "description": "What is allowed or denied, as in grants"},
    "resource": {"type": "string", "minLength": 1,
                 "description": "Names it holds for; * stands for any run of characters"},
    "effect": {"enum": ["allow", "deny"],
               "description": "A denial wins over every permission"}
  }
})json";
}

bool is_known(std::string_view pattern) {
  return std::ranges::any_of(
      kActions, [&](std::string_view action) { return matches_pattern(pattern, action); });
}

// A grant of an action that nobody asks for is a typing error that would only show as a refusal.
void check_grants(const Resource& resource, const estate::EstateView&, Findings& findings) {
  const auto* grants = resource.spec().find("grants");
  if (grants == nullptr) return;
  std::vector<std::string> known(kActions.begin(), kActions.end());
  std::size_t index = 0;
  for (const auto& grant : grants->elements()) {
    auto pointer = fmt::format("/spec/grants/{}/action", index++);
    auto action = grant.find("action")->as_string();
    if (is_known(action)) continue;
    findings.errors.push_back(
        resource.at(pointer, fmt::format("unknown action \"{}\"{}; known actions: {}", action,
                                         did_you_mean(action, known), fmt::join(known, ", "))));
  }
}

void check_access_rule(const Resource& resource, const estate::EstateView&, Findings& findings) {
  const auto action = resource.spec().find("action")->as_string();
  if (is_known(action)) return;
  std::vector<std::string> known(kActions.begin(), kActions.end());
  findings.errors.push_back(resource.at(
      "/spec/action", fmt::format("unknown action \"{}\"{}; known actions: {}", action,
                                  did_you_mean(action, known), fmt::join(known, ", "))));
}

void check_tenant(const Resource& resource, const estate::EstateView&, Findings& findings) {
  if (!estate::is_tenant_name(resource.name())) {
    findings.errors.push_back(
        resource.at("/metadata/name",
                    "a tenant's name is 1 to 63 characters of a-z 0-9 - and begins with a "
                    "letter or digit"));
  }
  if (resource.tenant() != estate::kDefaultTenant) {
    findings.errors.push_back(
        resource.at("/metadata/tenant", "tenants are declared in the tenant \"default\""));
  }
}

std::vector<Reference> role_references(const Json& spec) {
  std::vector<Reference> references;
  const auto* roles = spec.find("roles");
  if (roles == nullptr) return references;
  for (const auto& role : roles->elements()) {
    references.push_back(
        {"Role", std::string(role.as_string()), fmt::format("/spec/roles/{}", references.size())});
  }
  return references;
}

}  // namespace

std::vector<Kind> identity_kinds() {
  Kind tenant{.name = "Tenant",
              .summary = "A customer or unit whose resources are kept apart",
              .schema = std::string(kTenantSchema)};
  tenant.check = check_tenant;
  Kind role{.name = "Role", .summary = "A named list of grants", .schema = role_schema()};
  role.check = check_grants;
  Kind client{.name = "Client",
              .summary = "A program that calls Weft with API keys",
              .schema = client_schema()};
  client.references = role_references;
  client.check = check_grants;
  client.secret_fields = {"/spec/apiKeys"};
  Kind rule{.name = "AccessRule",
            .summary = "What one client, or all of a tenant, may do or are denied",
            .schema = access_rule_schema()};
  rule.check = check_access_rule;
  return {std::move(tenant), std::move(role), std::move(client), std::move(rule),
          token_issuer_kind()};
}

void TenantExists::check(const estate::EstateView& desired,
                         std::span<const estate::PlannedChange> changes, Findings& findings) {
  for (const auto& tenant : desired.tenants()) {
    if (tenant == estate::kDefaultTenant ||
        desired.find(estate::kDefaultTenant, "Tenant", tenant) != nullptr) {
      continue;
    }
    auto message = fmt::format("there is no Tenant {}", tenant);
    auto change = std::ranges::find_if(changes, [&](const estate::PlannedChange& one) {
      return one.after && one.id.tenant == tenant;
    });
    if (change != changes.end()) {
      findings.errors.push_back(change->after->at("/metadata/tenant", std::move(message)));
    } else {
      findings.errors.push_back({"Tenant " + tenant, 0, 0, "", message + ", but it has resources"});
    }
  }
}

}  // namespace weft::identity
