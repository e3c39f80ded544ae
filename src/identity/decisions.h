// The one decision point: whether a principal may do something to a resource. Denied unless a grant
// says otherwise; every door asks here and nowhere else. Pure, no allocation; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "identity/principal.h"

namespace weft::identity {

// What can be granted: "<area>.<verb>". A feature adds its actions here, so that a document that
// grants an action nobody knows is refused.
namespace action {
inline constexpr std::string_view kStreamRead = "stream.read";
inline constexpr std::string_view kStreamWrite = "stream.write";
inline constexpr std::string_view kStreamCreate = "stream.create";      // in a Namespace
inline constexpr std::string_view kStreamDescribe = "stream.describe";  // see that it is there
inline constexpr std::string_view kStreamAlter = "stream.alter";        // partitions, settings
inline constexpr std::string_view kStreamDelete = "stream.delete";      // records, or all of it
inline constexpr std::string_view kGroupUse = "group.use";            // be a member, commit offsets
inline constexpr std::string_view kGroupDescribe = "group.describe";  // members, offsets
inline constexpr std::string_view kGroupAlter = "group.alter";        // delete it or its offsets
inline constexpr std::string_view kTransactionUse = "transaction.use";
inline constexpr std::string_view kTransactionDescribe = "transaction.describe";
inline constexpr std::string_view kRouteCall = "route.call";
inline constexpr std::string_view kAdminRead = "admin.read";        // lists and pages
inline constexpr std::string_view kAdminApply = "admin.apply";      // plan, apply, rollback
inline constexpr std::string_view kAdminKeys = "admin.keys";        // API keys, passwords
inline constexpr std::string_view kAdminAcl = "admin.acl";          // AccessRules by Kafka clients
inline constexpr std::string_view kAdminRedrive = "admin.redrive";  // dead letters, resets, replays
inline constexpr std::string_view kAdminAudit = "admin.audit";      // the audit trail
inline constexpr std::string_view kAdminBackup = "admin.backup";    // copies of everything
}  // namespace action

inline constexpr std::array kActions = {
    action::kStreamRead,     action::kStreamWrite,         action::kStreamCreate,
    action::kStreamDescribe, action::kStreamAlter,         action::kStreamDelete,
    action::kGroupUse,       action::kGroupDescribe,       action::kGroupAlter,
    action::kTransactionUse, action::kTransactionDescribe, action::kRouteCall,
    action::kAdminRead,      action::kAdminApply,          action::kAdminKeys,
    action::kAdminAcl,       action::kAdminRedrive,        action::kAdminAudit,
    action::kAdminBackup};

struct ResourceRef {
  std::string_view tenant;
  std::string_view kind;  // for explanations: "Stream", "Route" …
  std::string_view name;
};

enum class DecisionReason : std::uint8_t { Granted, OtherTenant, NoGrant, Denied };

struct Decision {
  DecisionReason reason = DecisionReason::NoGrant;
  const Grant* grant = nullptr;  // of the principal, when granted or denied

  bool allowed() const { return reason == DecisionReason::Granted; }
  explicit operator bool() const { return allowed(); }
};

class Decisions {
 public:
  Decision decide(const Principal& principal, std::string_view action,
                  const ResourceRef& resource) const;

  // The decision in a sentence, for logs and for error bodies shown to administrators.
  std::string explain(const Decision& decision, const Principal& principal, std::string_view action,
                      const ResourceRef& resource) const;
};

// The origin of the grants that a Client has by its name alone; see docs/estate.md.
inline constexpr std::string_view kOwnName = "its own name";

// Whether text matches a pattern in which "*" stands for any run of characters.
bool matches_pattern(std::string_view pattern, std::string_view text);

}  // namespace weft::identity
