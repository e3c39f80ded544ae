#include "eventlog/kafka/handlers/acl_mapping.h"

#include <algorithm>
#include <array>

namespace weft::kafka {
namespace {

namespace action = identity::action;

enum ResourceType : std::int8_t { kTopic = 2, kGroup = 3, kCluster = 4, kTransactionalId = 5 };
enum PatternType : std::int8_t { kMatch = 2, kLiteral = 3, kPrefixed = 4 };
enum Permission : std::int8_t { kDeny = 2, kAllow = 3 };
enum Operation : std::int8_t {
  kAll = 2,
  kRead = 3,
  kWrite = 4,
  kCreate = 5,
  kDelete = 6,
  kAlter = 7,
  kDescribe = 8,
  kClusterAction = 9,
  kDescribeConfigs = 10,
  kAlterConfigs = 11,
  kIdempotentWrite = 12,
};

constexpr std::string_view kUserPrefix = "User:";
constexpr std::string_view kEverybody = "*";
constexpr std::string_view kAnyHost = "*";
constexpr std::string_view kClusterName = "kafka-cluster";

struct Mapping {
  std::int8_t type;
  std::int8_t operation;
  std::string_view action;
};
constexpr std::array kMappings = {
    Mapping{kTopic, kAll, "stream.*"},
    Mapping{kTopic, kRead, action::kStreamRead},
    Mapping{kTopic, kWrite, action::kStreamWrite},
    Mapping{kTopic, kCreate, action::kStreamCreate},
    Mapping{kTopic, kDelete, action::kStreamDelete},
    Mapping{kTopic, kAlter, action::kStreamAlter},
    Mapping{kTopic, kDescribe, action::kStreamDescribe},
    Mapping{kGroup, kAll, "group.*"},
    Mapping{kGroup, kRead, action::kGroupUse},
    Mapping{kGroup, kDelete, action::kGroupAlter},
    Mapping{kGroup, kDescribe, action::kGroupDescribe},
    Mapping{kTransactionalId, kAll, "transaction.*"},
    Mapping{kTransactionalId, kWrite, action::kTransactionUse},
    Mapping{kTransactionalId, kDescribe, action::kTransactionDescribe},
    Mapping{kCluster, kAlter, action::kAdminAcl},
};

// Why there is no such permission, and what to do instead.
std::string_view reason_against(std::int8_t type, std::int8_t operation) {
  switch (operation) {
    case kIdempotentWrite:
      return "every producer may be idempotent, no ACL is needed";
    case kDescribeConfigs:
      return "who may see a topic sees its configuration: use DESCRIBE";
    case kAlterConfigs:
      return "partitions and configuration are altered by one permission: use ALTER";
    case kCreate:
      return "topics are created by name: use CREATE on topics";
    case kClusterAction:
      return "brokers do not log in as clients";
    default:
      return type == kCluster ? "of the cluster, only ALTER (who may change ACLs) can be granted"
                              : "there is no such operation on such a resource";
  }
}

bool is_client_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

Result<std::string> client_of(std::string_view principal) {
  const auto name = principal.substr(std::min(kUserPrefix.size(), principal.size()));
  if (principal.starts_with(kUserPrefix) && (name == kEverybody || is_client_name(name))) {
    return std::string(name);
  }
  return fail(ErrorCode::InvalidArgument,
              "the principal is User: and the name of a Client of the tenant, or User:*, not '{}'",
              principal);
}

Result<std::string> resource_of(const Acl& acl) {
  if (acl.pattern != kLiteral && acl.pattern != kPrefixed) {
    return fail(ErrorCode::InvalidArgument, "the pattern is literal or prefixed");
  }
  if (acl.resource_type == kCluster) {
    if (acl.pattern == kLiteral && (acl.name == kClusterName || acl.name == "*")) return "*";
    return fail(ErrorCode::InvalidArgument, "the cluster's name is {}", kClusterName);
  }
  if (acl.name == "*" && acl.pattern == kLiteral) return acl.name;
  if (acl.name.empty() || acl.name.find('*') != std::string::npos) {
    return fail(ErrorCode::InvalidArgument,
                "the name is empty or has a *, which stands for all names when it is literal and "
                "alone, and in no other name");
  }
  return acl.pattern == kPrefixed ? acl.name + "*" : acl.name;
}

std::optional<Acl> resource_as_acl(std::string_view resource) {
  Acl acl;
  acl.pattern = kLiteral;
  acl.name = resource;
  if (resource == "*") return acl;
  const auto star = resource.find('*');
  if (star == resource.npos) return acl;
  if (star + 1 != resource.size()) return std::nullopt;
  acl.name.pop_back();
  acl.pattern = kPrefixed;
  return acl;
}

}  // namespace

Result<AccessRule> rule_of(const Acl& acl) {
  AccessRule rule;
  TRY(rule.client, client_of(acl.principal));
  if (acl.host != kAnyHost) {
    return fail(ErrorCode::InvalidArgument,
                "ACLs hold for all hosts (*): who may connect from where is for the network to "
                "decide");
  }
  if (acl.permission != kAllow && acl.permission != kDeny) {
    return fail(ErrorCode::InvalidArgument, "the permission is ALLOW or DENY");
  }
  const auto mapping = std::ranges::find_if(kMappings, [&](const Mapping& each) {
    return each.type == acl.resource_type && each.operation == acl.operation;
  });
  if (mapping == kMappings.end()) {
    return fail(ErrorCode::InvalidArgument, "this ACL has no meaning here: {}",
                reason_against(acl.resource_type, acl.operation));
  }
  rule.action = mapping->action;
  TRY(rule.resource, resource_of(acl));
  rule.effect = acl.permission == kDeny ? identity::Effect::Deny : identity::Effect::Allow;
  return rule;
}

std::vector<Acl> acls_of(const AccessRule& rule) {
  std::vector<Acl> acls;
  auto acl = resource_as_acl(rule.resource);
  if (!acl) return acls;
  acl->principal = fmt::format("{}{}", kUserPrefix, rule.client);
  acl->host = kAnyHost;
  acl->permission = rule.effect == identity::Effect::Deny ? kDeny : kAllow;
  for (const auto& mapping : kMappings) {
    // A rule of all actions is told by what says the same of each type.
    const bool is_whole =
        rule.action == "*" && (mapping.operation == kAll || mapping.type == kCluster);
    const bool is_admin = rule.action == "admin.*" && mapping.type == kCluster;
    if (rule.action != mapping.action && !is_whole && !is_admin) continue;
    if (mapping.type == kCluster && rule.resource != "*") continue;
    auto& told = acls.emplace_back(*acl);
    told.resource_type = mapping.type;
    told.operation = mapping.operation;
    if (mapping.type == kCluster) told.name = kClusterName;
  }
  return acls;
}

bool matches(const AclFilter& filter, const Acl& acl) {
  const auto is_wanted = [](std::int8_t wanted, std::int8_t has) {
    return wanted == kAnyOfAcls || wanted == has;
  };
  if (!is_wanted(filter.resource_type, acl.resource_type) ||
      !is_wanted(filter.operation, acl.operation) ||
      !is_wanted(filter.permission, acl.permission) ||
      (filter.principal && *filter.principal != acl.principal) ||
      (filter.host && *filter.host != acl.host)) {
    return false;
  }
  if (filter.pattern == kMatch) {
    return !filter.name || acl.name == *filter.name ||
           (acl.pattern == kLiteral && acl.name == "*") ||
           (acl.pattern == kPrefixed && filter.name->starts_with(acl.name));
  }
  return is_wanted(filter.pattern, acl.pattern) && (!filter.name || acl.name == *filter.name);
}

}  // namespace weft::kafka
