// The arithmetic of the audit chain: hashing entries and judging a chain page by page. Pure.
#pragma once

#include <optional>
#include <string>

#include "estate/audit.h"

namespace weft::estate {

// The head of a chain without entries.
AuditHead empty_head();

// The entry that follows a head.
AuditEntry next_entry(const AuditHead& head, WallTime now, AuditEvent event);

// Fed with all entries by their sequence, it finds the first that is not right.
class ChainVerifier {
 public:
  // Every anchor is a head that the chain must go through.
  explicit ChainVerifier(std::vector<AuditHead> anchors) : anchors_(std::move(anchors)) {}

  // False once something is wrong; further entries then change nothing.
  bool add(const AuditEntry& entry);
  // After the last entry: against the head that the database keeps.
  AuditReport finish(const AuditHead& kept_head);

 private:
  void reject(std::uint64_t sequence, std::string reason);
  const AuditHead* broken_anchor(std::uint64_t count, const std::string& hash) const;

  std::vector<AuditHead> anchors_;
  AuditHead head_ = empty_head();
  AuditReport report_;
};

}  // namespace weft::estate
