#include "eventlog/kafka/groups/group.h"

#include <algorithm>

namespace weft::kafka {
namespace {

void refuse(const JoinInput& input, KafkaError error, GroupReplies& out) {
  JoinReply reply;
  reply.token = input.token;
  reply.error = error;
  reply.member_id = input.member_id;
  out.joins.push_back(std::move(reply));
}

void refuse(ReplyToken token, KafkaError error, GroupReplies& out) {
  SyncReply reply;
  reply.token = token;
  reply.error = error;
  out.syncs.push_back(std::move(reply));
}

}  // namespace

std::string_view name(GroupState state) {
  switch (state) {
    case GroupState::Empty:
      return "Empty";
    case GroupState::PreparingRebalance:
      return "PreparingRebalance";
    case GroupState::CompletingRebalance:
      return "CompletingRebalance";
    case GroupState::Stable:
      return "Stable";
    case GroupState::Dead:
      return "Dead";
  }
  return "Dead";
}

const std::string* GroupMember::metadata(std::string_view protocol) const {
  for (const auto& [protocol_name, bytes] : protocols) {
    if (protocol_name == protocol) return &bytes;
  }
  return nullptr;
}

// ---- joining

void Group::join(MonoTime now, JoinInput input, GroupReplies& out) {
  if (const auto error = refuse_join(input)) return refuse(input, *error, out);
  if (input.member_id.empty()) {
    join_new(now, std::move(input), out);
  } else {
    join_known(now, std::move(input), out);
  }
}

std::optional<KafkaError> Group::refuse_join(const JoinInput& input) const {
  if (state_ == GroupState::Dead) return KafkaError::CoordinatorNotAvailable;
  if (input.session_timeout < limits_.session_timeout_min ||
      input.session_timeout > limits_.session_timeout_max) {
    return KafkaError::InvalidSessionTimeout;
  }
  if (!has_room_for(input.member_id)) return KafkaError::GroupMaxSizeReached;
  if (!supports(input)) return KafkaError::InconsistentGroupProtocol;
  return std::nullopt;
}

void Group::join_new(MonoTime now, JoinInput input, GroupReplies& out) {
  const auto id = input.new_member_id;
  if (input.instance_id) {
    const auto known = static_members_.find(*input.instance_id);
    if (known == static_members_.end()) return add_member(now, std::move(input), id, out);
    const auto old_id = known->second;
    return replace_static_member(now, old_id, std::move(input), out);
  }
  if (!input.requires_known_member) return add_member(now, std::move(input), id, out);

  // The id is told first, so that a client that loses the answer of its join can repeat it
  // (KIP-394).
  pending_[id] = now + input.session_timeout;
  input.member_id = id;
  refuse(input, KafkaError::MemberIdRequired, out);
}

void Group::join_known(MonoTime now, JoinInput input, GroupReplies& out) {
  if (pending_.contains(input.member_id)) {
    if (input.instance_id) return refuse(input, KafkaError::UnknownMemberId, out);
    const auto id = input.member_id;
    return add_member(now, std::move(input), id, out);
  }
  const auto error = check_member({input.member_id, input.instance_id, -1});
  if (error != KafkaError::None) return refuse(input, error, out);

  auto& member = members_.find(input.member_id)->second;
  const bool changed = input.protocols != member.protocols;
  switch (state_) {
    case GroupState::Empty:
    case GroupState::Dead:
      return refuse(input, KafkaError::UnknownMemberId, out);
    case GroupState::PreparingRebalance:
      break;
    case GroupState::CompletingRebalance:
      // The same join again: its answer was lost.
      if (!changed) return reply_current(member, input.token, out);
      break;
    case GroupState::Stable:
      // A leader that rejoins wants a new assignment, e.g. since its topics have grown.
      if (!changed && member.id != leader_) return reply_current(member, input.token, out);
      break;
  }
  update_member(now, member, std::move(input), out);
}

void Group::add_member(MonoTime now, JoinInput input, const std::string& id, GroupReplies& out) {
  pending_.erase(id);
  auto& member = members_[id];
  member.id = id;
  member.instance_id = input.instance_id;
  member.client_id = input.client_id;
  member.client_host = input.client_host;
  member.joined = ++joins_;
  if (members_.size() == 1) protocol_type_ = input.protocol_type;
  if (leader_.empty()) leader_ = id;
  if (input.instance_id) static_members_[*input.instance_id] = id;
  joined_in_delay_ = true;
  update_member(now, member, std::move(input), out);
}

void Group::update_member(MonoTime now, GroupMember& member, JoinInput input, GroupReplies& out) {
  if (member.parked_join) {
    // Joined twice: the connection of the first join is gone or has given up.
    JoinInput earlier;
    earlier.token = *member.parked_join;
    earlier.member_id = member.id;
    refuse(earlier, KafkaError::RebalanceInProgress, out);
  }
  member.protocols = std::move(input.protocols);
  member.session_timeout = input.session_timeout;
  member.rebalance_timeout = input.rebalance_timeout;
  member.session_deadline = now + input.session_timeout;
  member.parked_join = input.token;
  if (state_ == GroupState::PreparingRebalance) return complete_if_all_joined(now, out);
  prepare_rebalance(now, out);
}

void Group::replace_static_member(MonoTime now, const std::string& old_id, JoinInput input,
                                  GroupReplies& out) {
  const auto id = input.new_member_id;
  auto node = members_.extract(old_id);
  auto& old = node.mapped();
  if (old.parked_join) {
    JoinInput fenced;
    fenced.token = *std::exchange(old.parked_join, std::nullopt);
    fenced.member_id = old_id;
    refuse(fenced, KafkaError::FencedInstanceId, out);
  }
  if (old.parked_sync) {
    refuse(*std::exchange(old.parked_sync, std::nullopt), KafkaError::FencedInstanceId, out);
  }
  const auto old_leader = leader_;
  if (leader_ == old_id) leader_ = id;
  static_members_[*input.instance_id] = id;
  node.key() = id;
  old.id = id;
  auto& member = members_.insert(std::move(node)).position->second;
  member.client_id = input.client_id;
  member.client_host = input.client_host;
  member.protocols = input.protocols;

  if (state_ != GroupState::Stable || select_protocol() != protocol_name_) {
    return update_member(now, member, std::move(input), out);
  }
  member.session_timeout = input.session_timeout;
  member.rebalance_timeout = input.rebalance_timeout;
  member.session_deadline = now + input.session_timeout;
  JoinReply reply;
  reply.token = input.token;
  reply.generation = generation_;
  reply.protocol_type = protocol_type_;
  reply.protocol_name = protocol_name_;
  reply.member_id = id;
  if (input.supports_skip_assignment) {
    reply.leader = leader_;
    reply.skip_assignment = id == leader_;
    if (reply.skip_assignment) reply.members = joined_members();
  } else {
    // The old leader's id keeps the restarted member from computing an assignment that a stable
    // group would not hand out.
    reply.leader = old_leader;
  }
  out.joins.push_back(std::move(reply));
}

void Group::reply_current(const GroupMember& member, ReplyToken token, GroupReplies& out) const {
  JoinReply reply;
  reply.token = token;
  reply.generation = generation_;
  reply.protocol_type = protocol_type_;
  reply.protocol_name = protocol_name_;
  reply.leader = leader_;
  reply.member_id = member.id;
  if (member.id == leader_ && state_ == GroupState::CompletingRebalance) {
    reply.members = joined_members();
  }
  out.joins.push_back(std::move(reply));
}

std::vector<JoinReply::Member> Group::joined_members() const {
  std::vector<JoinReply::Member> joined;
  for (const auto& [member_id, member] : members_) {
    const auto* metadata = member.metadata(protocol_name_);
    joined.push_back({member_id, member.instance_id, metadata ? *metadata : std::string()});
  }
  return joined;
}

// ---- syncing, heartbeats, leaving, commits

void Group::sync(MonoTime now, const SyncInput& input, GroupReplies& out) {
  if (state_ == GroupState::Dead)
    return refuse(input.token, KafkaError::CoordinatorNotAvailable, out);
  if (const auto error = check_member(input.member); error != KafkaError::None) {
    return refuse(input.token, error, out);
  }
  if (input.member.generation != generation_)
    return refuse(input.token, KafkaError::IllegalGeneration, out);
  if ((input.protocol_type && *input.protocol_type != protocol_type_) ||
      (input.protocol_name && *input.protocol_name != protocol_name_)) {
    return refuse(input.token, KafkaError::InconsistentGroupProtocol, out);
  }
  auto& member = members_.find(input.member.member_id)->second;
  switch (state_) {
    case GroupState::Empty:
    case GroupState::Dead:
      return refuse(input.token, KafkaError::UnknownMemberId, out);
    case GroupState::PreparingRebalance:
      return refuse(input.token, KafkaError::RebalanceInProgress, out);
    case GroupState::CompletingRebalance:
      break;
    case GroupState::Stable:
      member.session_deadline = now + member.session_timeout;
      member.parked_sync.reset();
      out.syncs.push_back(
          {input.token, KafkaError::None, protocol_type_, protocol_name_, member.assignment});
      return;
  }

  if (member.parked_sync) refuse(*member.parked_sync, KafkaError::RebalanceInProgress, out);
  member.parked_sync = input.token;
  if (member.id != leader_) return;

  for (auto& [member_id, each] : members_) each.assignment.clear();
  for (const auto& [member_id, assignment] : input.assignments) {
    if (const auto found = members_.find(member_id); found != members_.end()) {
      found->second.assignment = assignment;
    }
  }
  state_ = GroupState::Stable;
  for (auto& [member_id, each] : members_) {
    if (!each.parked_sync) continue;
    each.session_deadline = now + each.session_timeout;
    out.syncs.push_back({*std::exchange(each.parked_sync, std::nullopt), KafkaError::None,
                         protocol_type_, protocol_name_, each.assignment});
  }
}

KafkaError Group::heartbeat(MonoTime now, const MemberRef& ref) {
  if (state_ == GroupState::Dead) return KafkaError::CoordinatorNotAvailable;
  if (const auto error = check_member(ref); error != KafkaError::None) return error;
  if (ref.generation != generation_) return KafkaError::IllegalGeneration;
  auto& member = members_.find(ref.member_id)->second;
  member.session_deadline = now + member.session_timeout;
  return state_ == GroupState::PreparingRebalance ? KafkaError::RebalanceInProgress
                                                  : KafkaError::None;
}

KafkaError Group::leave(MonoTime now, const MemberRef& ref, GroupReplies& out) {
  if (state_ == GroupState::Dead) return KafkaError::CoordinatorNotAvailable;
  if (ref.instance_id && ref.member_id.empty()) {
    const auto known = static_members_.find(*ref.instance_id);
    if (known == static_members_.end()) return KafkaError::UnknownMemberId;
    remove_member(now, members_.find(known->second), out);
    return KafkaError::None;
  }
  if (const auto pending = pending_.find(ref.member_id); pending != pending_.end()) {
    pending_.erase(pending);
    if (state_ == GroupState::PreparingRebalance) complete_if_all_joined(now, out);
    return KafkaError::None;
  }
  if (const auto error = check_member(ref); error != KafkaError::None) return error;
  remove_member(now, members_.find(ref.member_id), out);
  return KafkaError::None;
}

KafkaError Group::check_commit(MonoTime now, const MemberRef& ref) {
  if (state_ == GroupState::Dead) return KafkaError::CoordinatorNotAvailable;
  if (ref.generation < 0 && state_ == GroupState::Empty) return KafkaError::None;
  if (ref.generation < 0 && ref.member_id.empty() && !ref.instance_id)
    return KafkaError::UnknownMemberId;
  if (const auto error = check_member(ref); error != KafkaError::None) return error;
  if (ref.generation != generation_) return KafkaError::IllegalGeneration;
  auto& member = members_.find(ref.member_id)->second;
  member.session_deadline = now + member.session_timeout;
  return state_ == GroupState::CompletingRebalance ? KafkaError::RebalanceInProgress
                                                   : KafkaError::None;
}

KafkaError Group::check_member(const MemberRef& ref) const {
  if (ref.instance_id) {
    const auto known = static_members_.find(*ref.instance_id);
    if (known == static_members_.end()) return KafkaError::UnknownMemberId;
    if (known->second != ref.member_id) return KafkaError::FencedInstanceId;
  }
  return members_.contains(ref.member_id) ? KafkaError::None : KafkaError::UnknownMemberId;
}

}  // namespace weft::kafka
