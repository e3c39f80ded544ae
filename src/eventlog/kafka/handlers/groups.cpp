// Group membership: FindCoordinator, JoinGroup, SyncGroup, Heartbeat, LeaveGroup.
#include "eventlog/kafka/handlers/handlers.h"

namespace weft::kafka {
namespace {

constexpr std::int8_t kGroupCoordinator = 0;
constexpr std::int8_t kTransactionCoordinator = 1;
constexpr std::int16_t kBatchedFrom = 4;      // of FindCoordinator (KIP-699)
constexpr std::int16_t kKnownMemberFrom = 4;  // of JoinGroup (KIP-394)
constexpr std::int16_t kSkipAssignmentFrom = 9;
constexpr std::int16_t kLeaveManyFrom = 3;  // of LeaveGroup (KIP-345)

GroupKey key_of(const Call& call, std::string_view group) {
  return {call.session.tenant(), std::string(group)};
}

std::optional<std::string> owned(std::optional<std::string_view> text) {
  if (!text) return std::nullopt;
  return std::string(*text);
}

FindCoordinatorResponse::Coordinator coordinator(const Call& call, std::string_view key,
                                                 std::int8_t type) {
  FindCoordinatorResponse::Coordinator found;
  found.key = key;
  found.error_message.reset();
  if (type != kGroupCoordinator && type != kTransactionCoordinator) {
    found.error_code = code(KafkaError::InvalidRequest);
    found.error_message = "no such type of coordinator";
    found.node_id = -1;
    found.port = -1;
    return found;
  }
  const bool is_group = type == kGroupCoordinator;
  if (!permits_describing(call.session, is_group ? Asked::Group : Asked::TransactionalId, key)) {
    found.error_code = code(is_group ? KafkaError::GroupAuthorizationFailed
                                     : KafkaError::TransactionalIdAuthorizationFailed);
    found.error_message = is_group ? "no grant of group.describe or group.use"
                                   : "no grant of transaction.describe or transaction.use";
    found.node_id = -1;
    found.port = -1;
    return found;
  }
  found.node_id = kNodeId;
  found.host = call.broker.host();
  found.port = call.broker.port();
  return found;
}

JoinInput join_input(const Call& call, const JoinGroupRequest& request) {
  JoinInput input;
  input.member_id = request.member_id;
  input.instance_id = owned(request.group_instance_id);
  input.client_id = call.session.client_id;
  input.client_host = call.session.peer;
  input.protocol_type = request.protocol_type;
  for (const auto& protocol : request.protocols) {
    input.protocols.emplace_back(protocol.name, protocol.metadata.view);
  }
  input.session_timeout = std::chrono::milliseconds(request.session_timeout_ms);
  // Version 0 knows one timeout for both.
  const auto rebalance_ms =
      call.version == 0 ? request.session_timeout_ms : request.rebalance_timeout_ms;
  input.rebalance_timeout = std::chrono::milliseconds(std::max(rebalance_ms, 0));
  input.requires_known_member = call.version >= kKnownMemberFrom;
  input.supports_skip_assignment = call.version >= kSkipAssignmentFrom;
  return input;
}

}  // namespace

Task<FindCoordinatorResponse> handle(Call& call, const FindCoordinatorRequest& request) {
  FindCoordinatorResponse response;
  if (call.version >= kBatchedFrom) {
    for (const auto key : request.coordinator_keys) {
      response.coordinators.push_back(coordinator(call, key, request.key_type));
    }
    co_return response;
  }
  const auto found = coordinator(call, request.key, request.key_type);
  response.error_code = found.error_code;
  response.error_message = found.error_message;
  response.node_id = found.node_id;
  response.host = found.host;
  response.port = found.port;
  co_return response;
}

Task<JoinGroupResponse> handle(Call& call, const JoinGroupRequest& request) {
  JoinGroupResponse response;
  response.protocol_name.reset();
  response.member_id = request.member_id;
  if (request.group_id.empty()) {
    response.error_code = code(KafkaError::InvalidGroupId);
    co_return response;
  }
  if (!permits_group(call.session, request.group_id)) {
    response.error_code = code(KafkaError::GroupAuthorizationFailed);
    co_return response;
  }
  auto key = key_of(call, request.group_id);
  auto input = join_input(call, request);
  auto reply = co_await call.broker.parts.groups.join(std::move(key), std::move(input));
  response.error_code = code(reply.error);
  response.member_id = call.keep(std::move(reply.member_id));
  if (reply.error != KafkaError::None) co_return response;
  response.generation_id = reply.generation;
  response.protocol_type = call.keep(std::move(reply.protocol_type));
  response.protocol_name = call.keep(std::move(reply.protocol_name));
  response.leader = call.keep(std::move(reply.leader));
  response.skip_assignment = reply.skip_assignment;
  for (auto& member : reply.members) {
    auto& shown = response.members.emplace_back();
    shown.member_id = call.keep(std::move(member.member_id));
    if (member.instance_id) shown.group_instance_id = call.keep(*std::move(member.instance_id));
    shown.metadata.view = call.keep(std::move(member.metadata));
  }
  co_return response;
}

Task<SyncGroupResponse> handle(Call& call, const SyncGroupRequest& request) {
  SyncGroupResponse response;
  if (!permits_group(call.session, request.group_id)) {
    response.error_code = code(KafkaError::GroupAuthorizationFailed);
    co_return response;
  }
  auto key = key_of(call, request.group_id);
  SyncRequest sync;
  sync.member.member_id = request.member_id;
  sync.member.instance_id = owned(request.group_instance_id);
  sync.member.generation = request.generation_id;
  sync.protocol_type = owned(request.protocol_type);
  sync.protocol_name = owned(request.protocol_name);
  for (const auto& each : request.assignments) {
    sync.assignments.emplace_back(each.member_id, each.assignment.view);
  }
  auto reply = co_await call.broker.parts.groups.sync(std::move(key), std::move(sync));
  response.error_code = code(reply.error);
  if (reply.error != KafkaError::None) co_return response;
  response.protocol_type = call.keep(std::move(reply.protocol_type));
  response.protocol_name = call.keep(std::move(reply.protocol_name));
  response.assignment.view = call.keep(std::move(reply.assignment));
  co_return response;
}

Task<HeartbeatResponse> handle(Call& call, const HeartbeatRequest& request) {
  HeartbeatResponse response;
  if (!permits_group(call.session, request.group_id)) {
    response.error_code = code(KafkaError::GroupAuthorizationFailed);
    co_return response;
  }
  auto key = key_of(call, request.group_id);
  MemberIdentity member;
  member.member_id = request.member_id;
  member.instance_id = owned(request.group_instance_id);
  member.generation = request.generation_id;
  const auto error = co_await call.broker.parts.groups.heartbeat(std::move(key), std::move(member));
  response.error_code = code(error);
  co_return response;
}

Task<LeaveGroupResponse> handle(Call& call, const LeaveGroupRequest& request) {
  LeaveGroupResponse response;
  if (!permits_group(call.session, request.group_id)) {
    response.error_code = code(KafkaError::GroupAuthorizationFailed);
    co_return response;
  }
  auto key = key_of(call, request.group_id);
  std::vector<MemberIdentity> members;
  if (call.version < kLeaveManyFrom) {
    members.emplace_back().member_id = request.member_id;
  }
  for (const auto& each : request.members) {
    auto& member = members.emplace_back();
    member.member_id = each.member_id;
    member.instance_id = owned(each.group_instance_id);
  }
  const auto errors = co_await call.broker.parts.groups.leave(std::move(key), std::move(members));
  if (call.version < kLeaveManyFrom) {
    response.error_code = code(errors.front());
    co_return response;
  }
  for (std::size_t i = 0; i < request.members.size(); ++i) {
    auto& member = response.members.emplace_back();
    member.member_id = request.members[i].member_id;
    member.group_instance_id = request.members[i].group_instance_id;
    member.error_code = code(errors[i]);
  }
  co_return response;
}

}  // namespace weft::kafka
