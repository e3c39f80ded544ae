// Group administration: ListGroups, DescribeGroups, DeleteGroups.
// Fields, versions and defaults are those of the message definitions of Apache Kafka 4.1 (Apache
// License 2.0); what no version of ours has is left out. See protocol/fields.h for how a
// description is read. check: table (exempt from the limits on size).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "eventlog/kafka/protocol/fields.h"

namespace weft::kafka {

struct ListGroupsRequest {
  static constexpr ApiId kApi{16, "ListGroups", 0, 5, 3};
  std::vector<std::string_view> states_filter;
  std::vector<std::string_view> types_filter;

  static void describe(auto& io, auto& m) {
    io.field("StatesFilter", m.states_filter, since(4));
    io.field("TypesFilter", m.types_filter, since(5));
  }
};

struct ListGroupsResponse {
  struct ListedGroup {
    std::string_view group_id;
    std::string_view protocol_type;
    std::string_view group_state;
    std::string_view group_type;

    static void describe(auto& io, auto& m) {
      io.field("GroupId", m.group_id);
      io.field("ProtocolType", m.protocol_type);
      io.field("GroupState", m.group_state, since(4));
      io.field("GroupType", m.group_type, since(5));
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::vector<ListedGroup> groups;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms, since(1));
    io.field("ErrorCode", m.error_code);
    io.field("Groups", m.groups);
  }
};

struct DescribeGroupsRequest {
  static constexpr ApiId kApi{15, "DescribeGroups", 0, 6, 5};
  std::vector<std::string_view> groups;
  bool include_authorized_operations = false;

  static void describe(auto& io, auto& m) {
    io.field("Groups", m.groups);
    io.field("IncludeAuthorizedOperations", m.include_authorized_operations, since(3));
  }
};

struct DescribeGroupsResponse {
  struct DescribedGroup {
    struct DescribedGroupMember {
      std::string_view member_id;
      std::optional<std::string_view> group_instance_id;
      std::string_view client_id;
      std::string_view client_host;
      Bytes member_metadata;
      Bytes member_assignment;

      static void describe(auto& io, auto& m) {
        io.field("MemberId", m.member_id);
        io.field("GroupInstanceId", m.group_instance_id, since(4).nullable(4));
        io.field("ClientId", m.client_id);
        io.field("ClientHost", m.client_host);
        io.field("MemberMetadata", m.member_metadata);
        io.field("MemberAssignment", m.member_assignment);
      }
    };
    std::int16_t error_code = 0;
    std::optional<std::string_view> error_message;
    std::string_view group_id;
    std::string_view group_state;
    std::string_view protocol_type;
    std::string_view protocol_data;
    std::vector<DescribedGroupMember> members;
    std::int32_t authorized_operations = INT32_MIN;

    static void describe(auto& io, auto& m) {
      io.field("ErrorCode", m.error_code);
      io.field("ErrorMessage", m.error_message, since(6).nullable(6));
      io.field("GroupId", m.group_id);
      io.field("GroupState", m.group_state);
      io.field("ProtocolType", m.protocol_type);
      io.field("ProtocolData", m.protocol_data);
      io.field("Members", m.members);
      io.field("AuthorizedOperations", m.authorized_operations, since(3));
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<DescribedGroup> groups;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms, since(1));
    io.field("Groups", m.groups);
  }
};

struct DeleteGroupsRequest {
  static constexpr ApiId kApi{42, "DeleteGroups", 0, 2, 2};
  std::vector<std::string_view> groups_names;

  static void describe(auto& io, auto& m) { io.field("GroupsNames", m.groups_names); }
};

struct DeleteGroupsResponse {
  struct DeletableGroupResult {
    std::string_view group_id;
    std::int16_t error_code = 0;

    static void describe(auto& io, auto& m) {
      io.field("GroupId", m.group_id);
      io.field("ErrorCode", m.error_code);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<DeletableGroupResult> results;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("Results", m.results);
  }
};

}  // namespace weft::kafka
