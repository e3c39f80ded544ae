#include "estate/core/audit_chain.h"

#include <algorithm>

#include "base/json_writer.h"
#include "estate/core/sha256_hex.h"

namespace weft::estate {

std::string canonical_text(const AuditEntry& entry) {
  const auto& event = entry.event;
  JsonWriter out;
  out.object().member("action", event.action).member("actor", event.actor);
  // As strings: the chain is over the very bytes that are stored.
  if (event.after) out.member("after", *event.after);
  if (event.before) out.member("before", *event.before);
  out.member("generation", event.generation).member("object", event.object);
  out.member("sequence", entry.sequence).member("tenant", event.tenant);
  out.member("time", to_unix_ms(entry.time)).end();
  return std::move(out).text();
}

std::string entry_hash(const AuditEntry& entry) {
  return sha256_hex(entry.previous_hash + canonical_text(entry));
}

AuditHead empty_head() {
  return {0, std::string(64, '0')};
}

AuditEntry next_entry(const AuditHead& head, WallTime now, AuditEvent event) {
  AuditEntry entry{head.count + 1, now, std::move(event), head.hash, {}};
  entry.hash = entry_hash(entry);
  return entry;
}

bool ChainVerifier::add(const AuditEntry& entry) {
  if (!report_.intact) return false;
  auto expected = head_.count + 1;
  if (entry.sequence != expected) {
    reject(expected, fmt::format("entry {} is missing; entry {} stands after entry {}", expected,
                                 entry.sequence, head_.count));
  } else if (entry_hash(entry) != entry.hash) {
    bool is_linked = entry.previous_hash == head_.hash;
    reject(expected, fmt::format("entry {} was altered{}", expected,
                                 is_linked ? "" : " or stood at another place"));
  } else if (entry.previous_hash != head_.hash) {
    reject(expected, fmt::format("entry {} does not follow entry {}: one of them was exchanged",
                                 expected, head_.count));
  } else if (broken_anchor(entry.sequence, entry.hash) != nullptr) {
    reject(expected, fmt::format("entry {} is not the one whose hash was kept outside the table: "
                                 "the chain was rewritten",
                                 expected));
  } else {
    head_ = {entry.sequence, entry.hash};
  }
  return report_.intact;
}

AuditReport ChainVerifier::finish(const AuditHead& kept_head) {
  report_.head = head_;
  if (!report_.intact) return report_;
  auto heads = anchors_;
  heads.push_back(kept_head);
  for (const auto& head : heads) {
    if (head.count <= head_.count) continue;
    reject(head_.count + 1,
           fmt::format("entries {} to {} were cut off the end", head_.count + 1, head.count));
    return report_;
  }
  if (kept_head != head_) {
    reject(head_.count, fmt::format("the head that the database keeps ({} entries) is not the last "
                                    "entry ({})",
                                    kept_head.count, head_.count));
  }
  return report_;
}

void ChainVerifier::reject(std::uint64_t sequence, std::string reason) {
  report_.intact = false;
  report_.bad_sequence = sequence;
  report_.reason = std::move(reason);
}

const AuditHead* ChainVerifier::broken_anchor(std::uint64_t count, const std::string& hash) const {
  auto broken = std::ranges::find_if(anchors_, [&](const AuditHead& anchor) {
    return anchor.count == count && anchor.hash != hash;
  });
  return broken == anchors_.end() ? nullptr : &*broken;
}

}  // namespace weft::estate
