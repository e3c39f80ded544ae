// Which Kafka ACL is which access rule of Weft: one to one, so that what a client made is what it
// is shown. Numbers are Kafka's (org.apache.kafka.common.acl and .resource). Pure; any thread.
//
// A literal name is a pattern without "*", a prefix one that ends in it, and the literal "*" is
// "*". Principals are "User:" and the name of a Client; decisions do not look at hosts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eventlog/kafka/ports.h"

namespace weft::kafka {

inline constexpr std::int8_t kAnyOfAcls = 1;  // in filters: of types, patterns, operations …

struct Acl {
  std::int8_t resource_type = 0;
  std::string name;
  std::int8_t pattern = 0;
  std::string principal;
  std::string host;
  std::int8_t operation = 0;
  std::int8_t permission = 0;
  friend auto operator<=>(const Acl&, const Acl&) = default;
};

// InvalidArgument with the reason for what has no meaning here.
Result<AccessRule> rule_of(const Acl& acl);

// None for a rule that no ACL can say; several for one of all actions.
std::vector<Acl> acls_of(const AccessRule& rule);

// Absent members match everything; Kafka's rules for names and patterns (KIP-290).
struct AclFilter {
  std::int8_t resource_type = kAnyOfAcls;
  std::optional<std::string_view> name;
  std::int8_t pattern = kAnyOfAcls;
  std::optional<std::string_view> principal;
  std::optional<std::string_view> host;
  std::int8_t operation = kAnyOfAcls;
  std::int8_t permission = kAnyOfAcls;
};
bool matches(const AclFilter& filter, const Acl& acl);

}  // namespace weft::kafka
