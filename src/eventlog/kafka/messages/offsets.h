// Group offsets: OffsetCommit, OffsetFetch, OffsetDelete.
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

struct OffsetCommitRequest {
  static constexpr ApiId kApi{8, "OffsetCommit", 2, 9, 8};
  struct OffsetCommitRequestTopic {
    struct OffsetCommitRequestPartition {
      std::int32_t partition_index = 0;
      std::int64_t committed_offset = 0;
      std::int32_t committed_leader_epoch = -1;
      std::optional<std::string_view> committed_metadata = std::string_view();

      static void describe(auto& io, auto& m) {
        io.field("PartitionIndex", m.partition_index);
        io.field("CommittedOffset", m.committed_offset);
        io.field("CommittedLeaderEpoch", m.committed_leader_epoch, since(6));
        io.field("CommittedMetadata", m.committed_metadata, since(2).nullable(2));
      }
    };
    std::string_view name;
    std::vector<OffsetCommitRequestPartition> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("Partitions", m.partitions);
    }
  };
  std::string_view group_id;
  std::int32_t generation_id_or_member_epoch = -1;
  std::string_view member_id;
  std::optional<std::string_view> group_instance_id;
  std::int64_t retention_time_ms = -1;
  std::vector<OffsetCommitRequestTopic> topics;

  static void describe(auto& io, auto& m) {
    io.field("GroupId", m.group_id);
    io.field("GenerationIdOrMemberEpoch", m.generation_id_or_member_epoch);
    io.field("MemberId", m.member_id);
    io.field("GroupInstanceId", m.group_instance_id, since(7).nullable(7));
    io.field("RetentionTimeMs", m.retention_time_ms, between(2, 4));
    io.field("Topics", m.topics);
  }
};

struct OffsetCommitResponse {
  struct OffsetCommitResponseTopic {
    struct OffsetCommitResponsePartition {
      std::int32_t partition_index = 0;
      std::int16_t error_code = 0;

      static void describe(auto& io, auto& m) {
        io.field("PartitionIndex", m.partition_index);
        io.field("ErrorCode", m.error_code);
      }
    };
    std::string_view name;
    std::vector<OffsetCommitResponsePartition> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("Partitions", m.partitions);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<OffsetCommitResponseTopic> topics;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms, since(3));
    io.field("Topics", m.topics);
  }
};

struct OffsetFetchRequest {
  static constexpr ApiId kApi{9, "OffsetFetch", 1, 9, 6};
  struct OffsetFetchRequestTopic {
    std::string_view name;
    std::vector<std::int32_t> partition_indexes;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name, between(1, 7));
      io.field("PartitionIndexes", m.partition_indexes, between(1, 7));
    }
  };
  struct OffsetFetchRequestGroup {
    struct OffsetFetchRequestTopics {
      std::string_view name;
      std::vector<std::int32_t> partition_indexes;

      static void describe(auto& io, auto& m) {
        io.field("Name", m.name, since(8));
        io.field("PartitionIndexes", m.partition_indexes, since(8));
      }
    };
    std::string_view group_id;
    std::optional<std::string_view> member_id;
    std::int32_t member_epoch = -1;
    std::optional<std::vector<OffsetFetchRequestTopics>> topics =
        std::vector<OffsetFetchRequestTopics>();

    static void describe(auto& io, auto& m) {
      io.field("GroupId", m.group_id, since(8));
      io.field("MemberId", m.member_id, since(9).nullable(9));
      io.field("MemberEpoch", m.member_epoch, since(9));
      io.field("Topics", m.topics, since(8).nullable(8));
    }
  };
  std::string_view group_id;
  std::optional<std::vector<OffsetFetchRequestTopic>> topics =
      std::vector<OffsetFetchRequestTopic>();
  std::vector<OffsetFetchRequestGroup> groups;
  bool require_stable = false;

  static void describe(auto& io, auto& m) {
    io.field("GroupId", m.group_id, between(1, 7));
    io.field("Topics", m.topics, between(1, 7).nullable(2));
    io.field("Groups", m.groups, since(8));
    io.field("RequireStable", m.require_stable, since(7));
  }
};

struct OffsetFetchResponse {
  struct OffsetFetchResponseTopic {
    struct OffsetFetchResponsePartition {
      std::int32_t partition_index = 0;
      std::int64_t committed_offset = 0;
      std::int32_t committed_leader_epoch = -1;
      std::optional<std::string_view> metadata = std::string_view();
      std::int16_t error_code = 0;

      static void describe(auto& io, auto& m) {
        io.field("PartitionIndex", m.partition_index, between(1, 7));
        io.field("CommittedOffset", m.committed_offset, between(1, 7));
        io.field("CommittedLeaderEpoch", m.committed_leader_epoch, between(5, 7));
        io.field("Metadata", m.metadata, between(1, 7).nullable(1));
        io.field("ErrorCode", m.error_code, between(1, 7));
      }
    };
    std::string_view name;
    std::vector<OffsetFetchResponsePartition> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name, between(1, 7));
      io.field("Partitions", m.partitions, between(1, 7));
    }
  };
  struct OffsetFetchResponseGroup {
    struct OffsetFetchResponseTopics {
      struct OffsetFetchResponsePartitions {
        std::int32_t partition_index = 0;
        std::int64_t committed_offset = 0;
        std::int32_t committed_leader_epoch = -1;
        std::optional<std::string_view> metadata = std::string_view();
        std::int16_t error_code = 0;

        static void describe(auto& io, auto& m) {
          io.field("PartitionIndex", m.partition_index, since(8));
          io.field("CommittedOffset", m.committed_offset, since(8));
          io.field("CommittedLeaderEpoch", m.committed_leader_epoch, since(8));
          io.field("Metadata", m.metadata, since(8).nullable(8));
          io.field("ErrorCode", m.error_code, since(8));
        }
      };
      std::string_view name;
      std::vector<OffsetFetchResponsePartitions> partitions;

      static void describe(auto& io, auto& m) {
        io.field("Name", m.name, since(8));
        io.field("Partitions", m.partitions, since(8));
      }
    };
    std::string_view group_id;
    std::vector<OffsetFetchResponseTopics> topics;
    std::int16_t error_code = 0;

    static void describe(auto& io, auto& m) {
      io.field("GroupId", m.group_id, since(8));
      io.field("Topics", m.topics, since(8));
      io.field("ErrorCode", m.error_code, since(8));
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<OffsetFetchResponseTopic> topics;
  std::int16_t error_code = 0;
  std::vector<OffsetFetchResponseGroup> groups;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms, since(3));
    io.field("Topics", m.topics, between(1, 7));
    io.field("ErrorCode", m.error_code, between(2, 7));
    io.field("Groups", m.groups, since(8));
  }
};

struct OffsetDeleteRequest {
  static constexpr ApiId kApi{47, "OffsetDelete", 0, 0, kNeverFlexible};
  struct OffsetDeleteRequestTopic {
    struct OffsetDeleteRequestPartition {
      std::int32_t partition_index = 0;

      static void describe(auto& io, auto& m) { io.field("PartitionIndex", m.partition_index); }
    };
    std::string_view name;
    std::vector<OffsetDeleteRequestPartition> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("Partitions", m.partitions);
    }
  };
  std::string_view group_id;
  std::vector<OffsetDeleteRequestTopic> topics;

  static void describe(auto& io, auto& m) {
    io.field("GroupId", m.group_id);
    io.field("Topics", m.topics);
  }
};

struct OffsetDeleteResponse {
  struct OffsetDeleteResponseTopic {
    struct OffsetDeleteResponsePartition {
      std::int32_t partition_index = 0;
      std::int16_t error_code = 0;

      static void describe(auto& io, auto& m) {
        io.field("PartitionIndex", m.partition_index);
        io.field("ErrorCode", m.error_code);
      }
    };
    std::string_view name;
    std::vector<OffsetDeleteResponsePartition> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("Partitions", m.partitions);
    }
  };
  std::int16_t error_code = 0;
  std::int32_t throttle_time_ms = 0;
  std::vector<OffsetDeleteResponseTopic> topics;

  static void describe(auto& io, auto& m) {
    io.field("ErrorCode", m.error_code);
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("Topics", m.topics);
  }
};

}  // namespace weft::kafka
