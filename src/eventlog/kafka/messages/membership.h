// Group membership: FindCoordinator, JoinGroup, SyncGroup, Heartbeat, LeaveGroup.
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

struct FindCoordinatorRequest {
  static constexpr ApiId kApi{10, "FindCoordinator", 0, 6, 3};
  std::string_view key;
  std::int8_t key_type = 0;
  std::vector<std::string_view> coordinator_keys;

  static void describe(auto& io, auto& m) {
    io.field("Key", m.key, between(0, 3));
    io.field("KeyType", m.key_type, since(1));
    io.field("CoordinatorKeys", m.coordinator_keys, since(4));
  }
};

struct FindCoordinatorResponse {
  struct Coordinator {
    std::string_view key;
    std::int32_t node_id = 0;
    std::string_view host;
    std::int32_t port = 0;
    std::int16_t error_code = 0;
    std::optional<std::string_view> error_message = std::string_view();

    static void describe(auto& io, auto& m) {
      io.field("Key", m.key, since(4));
      io.field("NodeId", m.node_id, since(4));
      io.field("Host", m.host, since(4));
      io.field("Port", m.port, since(4));
      io.field("ErrorCode", m.error_code, since(4));
      io.field("ErrorMessage", m.error_message, since(4).nullable(4));
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::optional<std::string_view> error_message = std::string_view();
  std::int32_t node_id = 0;
  std::string_view host;
  std::int32_t port = 0;
  std::vector<Coordinator> coordinators;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms, since(1));
    io.field("ErrorCode", m.error_code, between(0, 3));
    io.field("ErrorMessage", m.error_message, between(1, 3).nullable(1));
    io.field("NodeId", m.node_id, between(0, 3));
    io.field("Host", m.host, between(0, 3));
    io.field("Port", m.port, between(0, 3));
    io.field("Coordinators", m.coordinators, since(4));
  }
};

struct JoinGroupRequest {
  static constexpr ApiId kApi{11, "JoinGroup", 0, 9, 6};
  struct JoinGroupRequestProtocol {
    std::string_view name;
    Bytes metadata;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("Metadata", m.metadata);
    }
  };
  std::string_view group_id;
  std::int32_t session_timeout_ms = 0;
  std::int32_t rebalance_timeout_ms = -1;
  std::string_view member_id;
  std::optional<std::string_view> group_instance_id;
  std::string_view protocol_type;
  std::vector<JoinGroupRequestProtocol> protocols;
  std::optional<std::string_view> reason;

  static void describe(auto& io, auto& m) {
    io.field("GroupId", m.group_id);
    io.field("SessionTimeoutMs", m.session_timeout_ms);
    io.field("RebalanceTimeoutMs", m.rebalance_timeout_ms, since(1));
    io.field("MemberId", m.member_id);
    io.field("GroupInstanceId", m.group_instance_id, since(5).nullable(5));
    io.field("ProtocolType", m.protocol_type);
    io.field("Protocols", m.protocols);
    io.field("Reason", m.reason, since(8).nullable(8));
  }
};

struct JoinGroupResponse {
  struct JoinGroupResponseMember {
    std::string_view member_id;
    std::optional<std::string_view> group_instance_id;
    Bytes metadata;

    static void describe(auto& io, auto& m) {
      io.field("MemberId", m.member_id);
      io.field("GroupInstanceId", m.group_instance_id, since(5).nullable(5));
      io.field("Metadata", m.metadata);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::int32_t generation_id = -1;
  std::optional<std::string_view> protocol_type;
  std::optional<std::string_view> protocol_name = std::string_view();
  std::string_view leader;
  bool skip_assignment = false;
  std::string_view member_id;
  std::vector<JoinGroupResponseMember> members;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms, since(2));
    io.field("ErrorCode", m.error_code);
    io.field("GenerationId", m.generation_id);
    io.field("ProtocolType", m.protocol_type, since(7).nullable(7));
    io.field("ProtocolName", m.protocol_name, since(0).nullable(7));
    io.field("Leader", m.leader);
    io.field("SkipAssignment", m.skip_assignment, since(9));
    io.field("MemberId", m.member_id);
    io.field("Members", m.members);
  }
};

struct SyncGroupRequest {
  static constexpr ApiId kApi{14, "SyncGroup", 0, 5, 4};
  struct SyncGroupRequestAssignment {
    std::string_view member_id;
    Bytes assignment;

    static void describe(auto& io, auto& m) {
      io.field("MemberId", m.member_id);
      io.field("Assignment", m.assignment);
    }
  };
  std::string_view group_id;
  std::int32_t generation_id = 0;
  std::string_view member_id;
  std::optional<std::string_view> group_instance_id;
  std::optional<std::string_view> protocol_type;
  std::optional<std::string_view> protocol_name;
  std::vector<SyncGroupRequestAssignment> assignments;

  static void describe(auto& io, auto& m) {
    io.field("GroupId", m.group_id);
    io.field("GenerationId", m.generation_id);
    io.field("MemberId", m.member_id);
    io.field("GroupInstanceId", m.group_instance_id, since(3).nullable(3));
    io.field("ProtocolType", m.protocol_type, since(5).nullable(5));
    io.field("ProtocolName", m.protocol_name, since(5).nullable(5));
    io.field("Assignments", m.assignments);
  }
};

struct SyncGroupResponse {
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::optional<std::string_view> protocol_type;
  std::optional<std::string_view> protocol_name;
  Bytes assignment;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms, since(1));
    io.field("ErrorCode", m.error_code);
    io.field("ProtocolType", m.protocol_type, since(5).nullable(5));
    io.field("ProtocolName", m.protocol_name, since(5).nullable(5));
    io.field("Assignment", m.assignment);
  }
};

struct HeartbeatRequest {
  static constexpr ApiId kApi{12, "Heartbeat", 0, 4, 4};
  std::string_view group_id;
  std::int32_t generation_id = 0;
  std::string_view member_id;
  std::optional<std::string_view> group_instance_id;

  static void describe(auto& io, auto& m) {
    io.field("GroupId", m.group_id);
    io.field("GenerationId", m.generation_id);
    io.field("MemberId", m.member_id);
    io.field("GroupInstanceId", m.group_instance_id, since(3).nullable(3));
  }
};

struct HeartbeatResponse {
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms, since(1));
    io.field("ErrorCode", m.error_code);
  }
};

struct LeaveGroupRequest {
  static constexpr ApiId kApi{13, "LeaveGroup", 0, 5, 4};
  struct MemberIdentity {
    std::string_view member_id;
    std::optional<std::string_view> group_instance_id;
    std::optional<std::string_view> reason;

    static void describe(auto& io, auto& m) {
      io.field("MemberId", m.member_id, since(3));
      io.field("GroupInstanceId", m.group_instance_id, since(3).nullable(3));
      io.field("Reason", m.reason, since(5).nullable(5));
    }
  };
  std::string_view group_id;
  std::string_view member_id;
  std::vector<MemberIdentity> members;

  static void describe(auto& io, auto& m) {
    io.field("GroupId", m.group_id);
    io.field("MemberId", m.member_id, between(0, 2));
    io.field("Members", m.members, since(3));
  }
};

struct LeaveGroupResponse {
  struct MemberResponse {
    std::string_view member_id;
    std::optional<std::string_view> group_instance_id = std::string_view();
    std::int16_t error_code = 0;

    static void describe(auto& io, auto& m) {
      io.field("MemberId", m.member_id, since(3));
      io.field("GroupInstanceId", m.group_instance_id, since(3).nullable(3));
      io.field("ErrorCode", m.error_code, since(3));
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::vector<MemberResponse> members;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms, since(1));
    io.field("ErrorCode", m.error_code);
    io.field("Members", m.members, since(3));
  }
};

}  // namespace weft::kafka
