// ListGroups, DescribeGroups, DeleteGroups.
#include <algorithm>

#include "base/ascii.h"
#include "eventlog/kafka/handlers/handlers.h"

namespace weft::kafka {
namespace {

constexpr std::string_view kClassic = "classic";
constexpr std::int16_t kNotFoundFrom = 6;  // of DescribeGroups (KIP-1043)

bool is_wanted(const std::vector<std::string_view>& filter, std::string_view value) {
  const auto same = [value](std::string_view each) { return equals_ignoring_case(each, value); };
  return filter.empty() || std::ranges::any_of(filter, same);
}

}  // namespace

Task<ListGroupsResponse> handle(Call& call, const ListGroupsRequest& request) {
  ListGroupsResponse response;
  auto tenant = call.session.tenant();
  auto groups = co_await call.broker.parts.groups.list(std::move(tenant));
  for (auto& group : groups) {
    const auto state = name(group.state);
    if (!is_wanted(request.states_filter, state) || !is_wanted(request.types_filter, kClassic)) {
      continue;
    }
    if (!may_describe(call.session, Asked::Group, group.group)) continue;
    auto& listed = response.groups.emplace_back();
    listed.group_id = call.keep(std::move(group.group));
    listed.protocol_type = call.keep(std::move(group.protocol_type));
    listed.group_state = state;
    listed.group_type = kClassic;
  }
  co_return response;
}

Task<DescribeGroupsResponse> handle(Call& call, const DescribeGroupsRequest& request) {
  DescribeGroupsResponse response;
  for (const auto group : request.groups) {
    if (!permits_describing(call.session, Asked::Group, group)) {
      auto& refused = response.groups.emplace_back();
      refused.group_id = group;
      refused.error_code = code(KafkaError::GroupAuthorizationFailed);
      refused.error_message = "no grant of group.describe or group.use";
      continue;
    }
    GroupKey key{call.session.tenant(), std::string(group)};
    auto found = co_await call.broker.parts.groups.describe(std::move(key));
    auto& described = response.groups.emplace_back();
    described.group_id = group;
    described.group_state = name(found.state);
    if (found.state == GroupState::Dead && call.version >= kNotFoundFrom) {
      described.error_code = code(KafkaError::GroupIdNotFound);
      described.error_message = "there is no such group";
    }
    described.protocol_type = call.keep(std::move(found.protocol_type));
    described.protocol_data = call.keep(std::move(found.protocol_name));
    for (auto& member : found.members) {
      auto& shown = described.members.emplace_back();
      shown.member_id = call.keep(std::move(member.id));
      if (member.instance_id) shown.group_instance_id = call.keep(*std::move(member.instance_id));
      shown.client_id = call.keep(std::move(member.client_id));
      shown.client_host = call.keep(std::move(member.client_host));
      shown.member_metadata.view = call.keep(std::move(member.metadata));
      shown.member_assignment.view = call.keep(std::move(member.assignment));
    }
  }
  co_return response;
}

Task<DeleteGroupsResponse> handle(Call& call, const DeleteGroupsRequest& request) {
  DeleteGroupsResponse response;
  for (const auto group : request.groups_names) {
    if (!permits(call.session, identity::action::kGroupAlter, Asked::Group, group)) {
      response.results.push_back({group, code(KafkaError::GroupAuthorizationFailed)});
      continue;
    }
    GroupKey key{call.session.tenant(), std::string(group)};
    const auto error = co_await call.broker.parts.groups.delete_group(std::move(key));
    response.results.push_back({group, code(error)});
  }
  co_return response;
}

}  // namespace weft::kafka
