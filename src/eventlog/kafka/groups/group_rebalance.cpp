// The rebalance itself: who is waited for and how long, the choice of protocol and leader, the end.
#include <algorithm>

#include "eventlog/kafka/groups/group.h"

namespace weft::kafka {

bool Group::supports(const JoinInput& input) const {
  if (input.protocol_type.empty() || input.protocols.empty()) return false;
  if (members_.empty()) return true;
  if (input.protocol_type != protocol_type_) return false;
  return std::ranges::any_of(input.protocols, [this](const auto& protocol) {
    return std::ranges::all_of(members_, [&protocol](const auto& entry) {
      return entry.second.metadata(protocol.first) != nullptr;
    });
  });
}

bool Group::has_room_for(std::string_view member_id) const {
  if (members_.contains(member_id) || pending_.contains(member_id)) return true;
  return members_.size() + pending_.size() < limits_.members_max;
}

// Each member votes for the first of its protocols that all members know; the first member's order
// breaks a tie.
std::string Group::select_protocol() const {
  std::vector<const GroupMember*> by_arrival;
  for (const auto& [member_id, member] : members_) by_arrival.push_back(&member);
  std::ranges::sort(by_arrival, {}, &GroupMember::joined);
  if (by_arrival.empty()) return {};

  const auto known_to_all = [&](const std::string& protocol) {
    return std::ranges::all_of(by_arrival,
                               [&](const auto* member) { return member->metadata(protocol); });
  };
  std::map<std::string, std::size_t> votes;
  for (const auto* member : by_arrival) {
    const auto vote = std::ranges::find_if(
        member->protocols, [&](const auto& protocol) { return known_to_all(protocol.first); });
    if (vote != member->protocols.end()) ++votes[vote->first];
  }
  std::string best;
  std::size_t most = 0;
  for (const auto& [protocol, bytes] : by_arrival.front()->protocols) {
    const auto found = votes.find(protocol);
    if (found == votes.end() || found->second <= most) continue;
    best = protocol;
    most = found->second;
  }
  return best;
}

// The leader stays while it takes part; otherwise the first of those that joined.
void Group::elect_leader() {
  const auto current = members_.find(leader_);
  if (current != members_.end() && current->second.parked_join) return;
  const GroupMember* first = nullptr;
  for (const auto& [member_id, member] : members_) {
    if (member.parked_join && (first == nullptr || member.joined < first->joined)) first = &member;
  }
  if (first != nullptr) leader_ = first->id;
}

Duration Group::longest_rebalance_timeout() const {
  Duration longest{};
  for (const auto& [member_id, member] : members_) {
    longest = std::max(longest, member.rebalance_timeout);
  }
  return longest;
}

void Group::prepare_rebalance(MonoTime now, GroupReplies& out) {
  if (state_ == GroupState::CompletingRebalance) {
    for (auto& [member_id, member] : members_) {
      member.assignment.clear();
      if (!member.parked_sync) continue;
      SyncReply reply;
      reply.token = *std::exchange(member.parked_sync, std::nullopt);
      reply.error = KafkaError::RebalanceInProgress;
      out.syncs.push_back(std::move(reply));
    }
  }
  sync_deadline_.reset();
  const auto timeout = longest_rebalance_timeout();
  const auto delay = std::min(limits_.initial_rebalance_delay, timeout);
  if (state_ == GroupState::Empty && delay > Duration::zero()) {
    rebalance_deadline_ = now + delay;
    initial_delay_left_ = timeout - delay;
    joined_in_delay_ = false;
  } else {
    rebalance_deadline_ = now + timeout;
    initial_delay_left_.reset();
  }
  state_ = GroupState::PreparingRebalance;
  complete_if_all_joined(now, out);
}

void Group::complete_if_all_joined(MonoTime now, GroupReplies& out) {
  if (initial_delay_left_ || !pending_.empty()) return;
  const bool all = std::ranges::all_of(
      members_, [](const auto& entry) { return entry.second.parked_join.has_value(); });
  if (all) complete_join(now, out);
}

void Group::complete_join(MonoTime now, GroupReplies& out) {
  rebalance_deadline_.reset();
  initial_delay_left_.reset();
  for (auto member = members_.begin(); member != members_.end();) {
    // Static members are kept until their session ends: they may be restarting.
    const bool gone = !member->second.parked_join && !member->second.instance_id;
    member = gone ? members_.erase(member) : std::next(member);
  }
  const bool anybody = std::ranges::any_of(
      members_, [](const auto& entry) { return entry.second.parked_join.has_value(); });
  if (!members_.empty() && !anybody) {
    // Only absent static members: nobody could lead. Wait on.
    rebalance_deadline_ = now + longest_rebalance_timeout();
    return;
  }
  ++generation_;
  if (members_.empty()) {
    leader_.clear();
    protocol_name_.clear();
    state_ = GroupState::Empty;
    return;
  }
  elect_leader();
  protocol_name_ = select_protocol();
  state_ = GroupState::CompletingRebalance;
  sync_deadline_ = now + longest_rebalance_timeout();
  for (auto& [member_id, member] : members_) {
    member.session_deadline = now + member.session_timeout;
    if (!member.parked_join) continue;
    reply_current(member, *std::exchange(member.parked_join, std::nullopt), out);
  }
}

// Members that took part in the rebalance but never asked for their assignment leave the group.
void Group::expire_syncs(MonoTime now, GroupReplies& out) {
  sync_deadline_.reset();
  if (state_ != GroupState::CompletingRebalance) return;
  std::vector<std::string> silent;
  for (const auto& [member_id, member] : members_) {
    if (!member.parked_sync) silent.push_back(member_id);
  }
  for (const auto& member_id : silent) {
    if (const auto member = members_.find(member_id); member != members_.end()) {
      remove_member(now, member, out);
    }
  }
}

void Group::remove_member(MonoTime now, Members::iterator at, GroupReplies& out) {
  auto& member = at->second;
  if (member.parked_join) {
    JoinReply reply;
    reply.token = *member.parked_join;
    reply.error = KafkaError::UnknownMemberId;
    reply.member_id = member.id;
    out.joins.push_back(std::move(reply));
  }
  if (member.parked_sync) {
    SyncReply reply;
    reply.token = *member.parked_sync;
    reply.error = KafkaError::UnknownMemberId;
    out.syncs.push_back(std::move(reply));
  }
  if (member.instance_id) static_members_.erase(*member.instance_id);
  const bool was_leader = member.id == leader_;
  members_.erase(at);
  if (was_leader) {
    leader_.clear();
    const GroupMember* first = nullptr;
    for (const auto& [member_id, each] : members_) {
      if (first == nullptr || each.joined < first->joined) first = &each;
    }
    if (first != nullptr) leader_ = first->id;
  }
  after_removal(now, out);
}

void Group::after_removal(MonoTime now, GroupReplies& out) {
  switch (state_) {
    case GroupState::Empty:
    case GroupState::Dead:
      return;
    case GroupState::PreparingRebalance:
      return complete_if_all_joined(now, out);
    case GroupState::CompletingRebalance:
    case GroupState::Stable:
      return prepare_rebalance(now, out);
  }
}

void Group::tick(MonoTime now, GroupReplies& out) {
  std::erase_if(pending_, [now](const auto& entry) { return entry.second <= now; });

  std::vector<std::string> expired;
  for (const auto& [member_id, member] : members_) {
    // Whoever waits for our answer is alive as far as we are concerned.
    if (!member.parked_join && !member.parked_sync && member.session_deadline <= now) {
      expired.push_back(member_id);
    }
  }
  for (const auto& member_id : expired) {
    if (const auto member = members_.find(member_id); member != members_.end()) {
      remove_member(now, member, out);
    }
  }
  if (sync_deadline_ && *sync_deadline_ <= now) expire_syncs(now, out);
  if (state_ != GroupState::PreparingRebalance) return;
  if (rebalance_deadline_ && *rebalance_deadline_ <= now) {
    if (initial_delay_left_ && joined_in_delay_ && *initial_delay_left_ > Duration::zero()) {
      const auto delay = std::min(limits_.initial_rebalance_delay, *initial_delay_left_);
      *initial_delay_left_ -= delay;
      rebalance_deadline_ = now + delay;
      joined_in_delay_ = false;
      return;
    }
    return complete_join(now, out);
  }
  complete_if_all_joined(now, out);
}

std::optional<MonoTime> Group::next_deadline() const {
  std::optional<MonoTime> next;
  const auto consider = [&next](MonoTime when) {
    if (!next || when < *next) next = when;
  };
  for (const auto& [member_id, deadline] : pending_) consider(deadline);
  for (const auto& [member_id, member] : members_) {
    if (!member.parked_join && !member.parked_sync) consider(member.session_deadline);
  }
  if (rebalance_deadline_) consider(*rebalance_deadline_);
  if (sync_deadline_) consider(*sync_deadline_);
  return next;
}

}  // namespace weft::kafka
