// Who acts: a user, a service inside Weft, or an API client. The principal fixes the tenant.
// Immutable values behind shared pointers; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft::identity {

enum class PrincipalType : std::uint8_t { User, Service, Client };
std::string_view name(PrincipalType type);  // "user", "service", "client"

// What a grant says of that which it covers; a denial wins over every permission.
enum class Effect : std::uint8_t { Allow, Deny };

// A permission, or its denial: actions and resource names that match both patterns. A pattern is a
// name, or text with "*" for any run of characters: "stream.*", "orders.*", "*".
struct Grant {
  std::string action;
  std::string resource;
  std::string origin;  // for explanations: "Client shop", "Role reader"
  Effect effect = Effect::Allow;
};

// In which tenants a principal's grants hold.
enum class TenantScope : std::uint8_t { Own, All };

struct Principal {
  PrincipalType type = PrincipalType::Client;
  std::string name;
  std::string tenant;
  TenantScope scope = TenantScope::Own;
  std::vector<Grant> grants;  // denials first

  // "client:shop", with "@acme" when the tenant is not the default one. For audit, logs and
  // metrics.
  std::string id;
};

using PrincipalRef = std::shared_ptr<const Principal>;

// A principal with its id filled in and its denials put first.
Principal make_principal(PrincipalType type, std::string name, std::string tenant,
                         std::vector<Grant> grants = {}, TenantScope scope = TenantScope::Own);

}  // namespace weft::identity
