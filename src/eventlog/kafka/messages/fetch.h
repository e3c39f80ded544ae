// Fetch, ListOffsets and OffsetForLeaderEpoch.
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

// The other isolation level is 0: all that is durable.
inline constexpr std::int8_t kReadCommitted = 1;

struct FetchRequest {
  static constexpr ApiId kApi{1, "Fetch", 4, 17, 12};
  struct FetchTopic {
    struct FetchPartition {
      std::int32_t partition = 0;
      std::int32_t current_leader_epoch = -1;
      std::int64_t fetch_offset = 0;
      std::int32_t last_fetched_epoch = -1;
      std::int64_t log_start_offset = -1;
      std::int32_t partition_max_bytes = 0;
      Uuid replica_directory_id;

      static void describe(auto& io, auto& m) {
        io.field("Partition", m.partition);
        io.field("CurrentLeaderEpoch", m.current_leader_epoch, since(9));
        io.field("FetchOffset", m.fetch_offset);
        io.field("LastFetchedEpoch", m.last_fetched_epoch, since(12));
        io.field("LogStartOffset", m.log_start_offset, since(5));
        io.field("PartitionMaxBytes", m.partition_max_bytes);
        io.tagged(0, "ReplicaDirectoryId", m.replica_directory_id, since(17));
      }
    };
    std::string_view topic;
    Uuid topic_id;
    std::vector<FetchPartition> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Topic", m.topic, between(4, 12));
      io.field("TopicId", m.topic_id, since(13));
      io.field("Partitions", m.partitions);
    }
  };
  struct ForgottenTopic {
    std::string_view topic;
    Uuid topic_id;
    std::vector<std::int32_t> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Topic", m.topic, between(7, 12));
      io.field("TopicId", m.topic_id, since(13));
      io.field("Partitions", m.partitions, since(7));
    }
  };
  std::optional<std::string_view> cluster_id;
  std::int32_t replica_id = -1;
  std::int32_t max_wait_ms = 0;
  std::int32_t min_bytes = 0;
  std::int32_t max_bytes = 0x7fffffff;
  std::int8_t isolation_level = 0;
  std::int32_t session_id = 0;
  std::int32_t session_epoch = -1;
  std::vector<FetchTopic> topics;
  std::vector<ForgottenTopic> forgotten_topics_data;
  std::string_view rack_id;

  static void describe(auto& io, auto& m) {
    io.field("ReplicaId", m.replica_id, between(4, 14));
    io.field("MaxWaitMs", m.max_wait_ms);
    io.field("MinBytes", m.min_bytes);
    io.field("MaxBytes", m.max_bytes);
    io.field("IsolationLevel", m.isolation_level);
    io.field("SessionId", m.session_id, since(7));
    io.field("SessionEpoch", m.session_epoch, since(7));
    io.field("Topics", m.topics);
    io.field("ForgottenTopicsData", m.forgotten_topics_data, since(7));
    io.field("RackId", m.rack_id, since(11));
    io.tagged(0, "ClusterId", m.cluster_id, since(12).nullable(12));
  }
};

struct FetchResponse {
  struct FetchableTopicResponse {
    struct PartitionData {
      struct AbortedTransaction {
        std::int64_t producer_id = 0;
        std::int64_t first_offset = 0;

        static void describe(auto& io, auto& m) {
          io.field("ProducerId", m.producer_id);
          io.field("FirstOffset", m.first_offset);
        }
      };
      std::int32_t partition_index = 0;
      std::int16_t error_code = 0;
      std::int64_t high_watermark = 0;
      std::int64_t last_stable_offset = -1;
      std::int64_t log_start_offset = -1;
      std::optional<std::vector<AbortedTransaction>> aborted_transactions =
          std::vector<AbortedTransaction>();
      std::int32_t preferred_read_replica = -1;
      std::optional<Records> records = Records();

      static void describe(auto& io, auto& m) {
        io.field("PartitionIndex", m.partition_index);
        io.field("ErrorCode", m.error_code);
        io.field("HighWatermark", m.high_watermark);
        io.field("LastStableOffset", m.last_stable_offset);
        io.field("LogStartOffset", m.log_start_offset, since(5));
        io.field("AbortedTransactions", m.aborted_transactions, since(4).nullable(4));
        io.field("PreferredReadReplica", m.preferred_read_replica, since(11));
        io.field("Records", m.records, since(4).nullable(4));
      }
    };
    std::string_view topic;
    Uuid topic_id;
    std::vector<PartitionData> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Topic", m.topic, between(4, 12));
      io.field("TopicId", m.topic_id, since(13));
      io.field("Partitions", m.partitions);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::int32_t session_id = 0;
  std::vector<FetchableTopicResponse> responses;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("ErrorCode", m.error_code, since(7));
    io.field("SessionId", m.session_id, since(7));
    io.field("Responses", m.responses);
  }
};

struct ListOffsetsRequest {
  static constexpr ApiId kApi{2, "ListOffsets", 1, 10, 6};
  struct ListOffsetsTopic {
    struct ListOffsetsPartition {
      std::int32_t partition_index = 0;
      std::int32_t current_leader_epoch = -1;
      std::int64_t timestamp = 0;

      static void describe(auto& io, auto& m) {
        io.field("PartitionIndex", m.partition_index);
        io.field("CurrentLeaderEpoch", m.current_leader_epoch, since(4));
        io.field("Timestamp", m.timestamp);
      }
    };
    std::string_view name;
    std::vector<ListOffsetsPartition> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("Partitions", m.partitions);
    }
  };
  std::int32_t replica_id = 0;
  std::int8_t isolation_level = 0;
  std::vector<ListOffsetsTopic> topics;
  std::int32_t timeout_ms = 0;

  static void describe(auto& io, auto& m) {
    io.field("ReplicaId", m.replica_id);
    io.field("IsolationLevel", m.isolation_level, since(2));
    io.field("Topics", m.topics);
    io.field("TimeoutMs", m.timeout_ms, since(10));
  }
};

struct ListOffsetsResponse {
  struct ListOffsetsTopicResponse {
    struct ListOffsetsPartitionResponse {
      std::int32_t partition_index = 0;
      std::int16_t error_code = 0;
      std::int64_t timestamp = -1;
      std::int64_t offset = -1;
      std::int32_t leader_epoch = -1;

      static void describe(auto& io, auto& m) {
        io.field("PartitionIndex", m.partition_index);
        io.field("ErrorCode", m.error_code);
        io.field("Timestamp", m.timestamp);
        io.field("Offset", m.offset);
        io.field("LeaderEpoch", m.leader_epoch, since(4));
      }
    };
    std::string_view name;
    std::vector<ListOffsetsPartitionResponse> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("Partitions", m.partitions);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<ListOffsetsTopicResponse> topics;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms, since(2));
    io.field("Topics", m.topics);
  }
};

struct OffsetForLeaderEpochRequest {
  static constexpr ApiId kApi{23, "OffsetForLeaderEpoch", 2, 4, 4};
  struct OffsetForLeaderTopic {
    struct OffsetForLeaderPartition {
      std::int32_t partition = 0;
      std::int32_t current_leader_epoch = -1;
      std::int32_t leader_epoch = 0;

      static void describe(auto& io, auto& m) {
        io.field("Partition", m.partition);
        io.field("CurrentLeaderEpoch", m.current_leader_epoch);
        io.field("LeaderEpoch", m.leader_epoch);
      }
    };
    std::string_view topic;
    std::vector<OffsetForLeaderPartition> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Topic", m.topic);
      io.field("Partitions", m.partitions);
    }
  };
  std::int32_t replica_id = -2;
  std::vector<OffsetForLeaderTopic> topics;

  static void describe(auto& io, auto& m) {
    io.field("ReplicaId", m.replica_id, since(3));
    io.field("Topics", m.topics);
  }
};

struct OffsetForLeaderEpochResponse {
  struct OffsetForLeaderTopicResult {
    struct EpochEndOffset {
      std::int16_t error_code = 0;
      std::int32_t partition = 0;
      std::int32_t leader_epoch = -1;
      std::int64_t end_offset = -1;

      static void describe(auto& io, auto& m) {
        io.field("ErrorCode", m.error_code);
        io.field("Partition", m.partition);
        io.field("LeaderEpoch", m.leader_epoch);
        io.field("EndOffset", m.end_offset);
      }
    };
    std::string_view topic;
    std::vector<EpochEndOffset> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Topic", m.topic);
      io.field("Partitions", m.partitions);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<OffsetForLeaderTopicResult> topics;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("Topics", m.topics);
  }
};

}  // namespace weft::kafka
