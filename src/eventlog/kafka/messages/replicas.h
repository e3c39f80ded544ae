// What administrators ask of replicas and disks: DescribeLogDirs, ElectLeaders,
// ListPartitionReassignments.
// Fields, versions and defaults are those of the message definitions of Apache Kafka 4.1 (Apache
// License 2.0); what no version of ours has is left out. See protocol/fields.h for how a
// description is read. check: table (exempt from the limits on size).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "eventlog/kafka/protocol/fields.h"

namespace weft::kafka {

struct DescribeLogDirsRequest {
  static constexpr ApiId kApi{35, "DescribeLogDirs", 1, 4, 2};
  struct Topic {
    std::string_view topic;
    std::vector<std::int32_t> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Topic", m.topic);
      io.field("Partitions", m.partitions);
    }
  };
  std::optional<std::vector<Topic>> topics = std::vector<Topic>();

  static void describe(auto& io, auto& m) { io.field("Topics", m.topics, since(0).nullable(0)); }
};

struct DescribeLogDirsResponse {
  struct Result {
    struct Topic {
      struct Partition {
        std::int32_t partition_index = 0;
        std::int64_t partition_size = 0;
        std::int64_t offset_lag = 0;
        bool is_future_key = false;

        static void describe(auto& io, auto& m) {
          io.field("PartitionIndex", m.partition_index);
          io.field("PartitionSize", m.partition_size);
          io.field("OffsetLag", m.offset_lag);
          io.field("IsFutureKey", m.is_future_key);
        }
      };
      std::string_view name;
      std::vector<Partition> partitions;

      static void describe(auto& io, auto& m) {
        io.field("Name", m.name);
        io.field("Partitions", m.partitions);
      }
    };
    std::int16_t error_code = 0;
    std::string_view log_dir;
    std::vector<Topic> topics;
    std::int64_t total_bytes = -1;
    std::int64_t usable_bytes = -1;

    static void describe(auto& io, auto& m) {
      io.field("ErrorCode", m.error_code);
      io.field("LogDir", m.log_dir);
      io.field("Topics", m.topics);
      io.field("TotalBytes", m.total_bytes, since(4));
      io.field("UsableBytes", m.usable_bytes, since(4));
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::vector<Result> results;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("ErrorCode", m.error_code, since(3));
    io.field("Results", m.results);
  }
};

struct ElectLeadersRequest {
  static constexpr ApiId kApi{43, "ElectLeaders", 0, 2, 2};
  struct Topic {
    std::string_view topic;
    std::vector<std::int32_t> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Topic", m.topic);
      io.field("Partitions", m.partitions);
    }
  };
  std::int8_t election_type = 0;
  std::optional<std::vector<Topic>> topic_partitions = std::vector<Topic>();
  std::int32_t timeout_ms = 60'000;

  static void describe(auto& io, auto& m) {
    io.field("ElectionType", m.election_type, since(1));
    io.field("TopicPartitions", m.topic_partitions, since(0).nullable(0));
    io.field("TimeoutMs", m.timeout_ms);
  }
};

struct ElectLeadersResponse {
  struct Topic {
    struct Partition {
      std::int32_t partition_id = 0;
      std::int16_t error_code = 0;
      std::optional<std::string_view> error_message;

      static void describe(auto& io, auto& m) {
        io.field("PartitionId", m.partition_id);
        io.field("ErrorCode", m.error_code);
        io.field("ErrorMessage", m.error_message, since(0).nullable(0));
      }
    };
    std::string_view topic;
    std::vector<Partition> partition_result;

    static void describe(auto& io, auto& m) {
      io.field("Topic", m.topic);
      io.field("PartitionResult", m.partition_result);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::vector<Topic> replica_election_results;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("ErrorCode", m.error_code, since(1));
    io.field("ReplicaElectionResults", m.replica_election_results);
  }
};

struct ListPartitionReassignmentsRequest {
  static constexpr ApiId kApi{46, "ListPartitionReassignments", 0, 0, 0};
  struct Topic {
    std::string_view name;
    std::vector<std::int32_t> partition_indexes;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("PartitionIndexes", m.partition_indexes);
    }
  };
  std::int32_t timeout_ms = 60'000;
  std::optional<std::vector<Topic>> topics;

  static void describe(auto& io, auto& m) {
    io.field("TimeoutMs", m.timeout_ms);
    io.field("Topics", m.topics, since(0).nullable(0));
  }
};

struct ListPartitionReassignmentsResponse {
  struct Topic {
    struct Partition {
      std::int32_t partition_index = 0;
      std::vector<std::int32_t> replicas;
      std::vector<std::int32_t> adding_replicas;
      std::vector<std::int32_t> removing_replicas;

      static void describe(auto& io, auto& m) {
        io.field("PartitionIndex", m.partition_index);
        io.field("Replicas", m.replicas);
        io.field("AddingReplicas", m.adding_replicas);
        io.field("RemovingReplicas", m.removing_replicas);
      }
    };
    std::string_view name;
    std::vector<Partition> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("Partitions", m.partitions);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::optional<std::string_view> error_message;
  std::vector<Topic> topics;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("ErrorCode", m.error_code);
    io.field("ErrorMessage", m.error_message, since(0).nullable(0));
    io.field("Topics", m.topics);
  }
};

}  // namespace weft::kafka
