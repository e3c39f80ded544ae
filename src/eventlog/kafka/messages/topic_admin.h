// Topic administration: CreateTopics, DeleteTopics, CreatePartitions, DeleteRecords.
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

struct CreateTopicsRequest {
  static constexpr ApiId kApi{19, "CreateTopics", 2, 7, 5};
  struct CreatableTopic {
    struct CreatableReplicaAssignment {
      std::int32_t partition_index = 0;
      std::vector<std::int32_t> broker_ids;

      static void describe(auto& io, auto& m) {
        io.field("PartitionIndex", m.partition_index);
        io.field("BrokerIds", m.broker_ids);
      }
    };
    struct CreatableTopicConfig {
      std::string_view name;
      std::optional<std::string_view> value = std::string_view();

      static void describe(auto& io, auto& m) {
        io.field("Name", m.name);
        io.field("Value", m.value, since(2).nullable(2));
      }
    };
    std::string_view name;
    std::int32_t num_partitions = 0;
    std::int16_t replication_factor = 0;
    std::vector<CreatableReplicaAssignment> assignments;
    std::vector<CreatableTopicConfig> configs;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("NumPartitions", m.num_partitions);
      io.field("ReplicationFactor", m.replication_factor);
      io.field("Assignments", m.assignments);
      io.field("Configs", m.configs);
    }
  };
  std::vector<CreatableTopic> topics;
  std::int32_t timeout_ms = 60000;
  bool validate_only = false;

  static void describe(auto& io, auto& m) {
    io.field("Topics", m.topics);
    io.field("timeoutMs", m.timeout_ms);
    io.field("validateOnly", m.validate_only);
  }
};

struct CreateTopicsResponse {
  struct CreatableTopicResult {
    struct CreatableTopicConfigs {
      std::string_view name;
      std::optional<std::string_view> value = std::string_view();
      bool read_only = false;
      std::int8_t config_source = -1;
      bool is_sensitive = false;

      static void describe(auto& io, auto& m) {
        io.field("Name", m.name, since(5));
        io.field("Value", m.value, since(5).nullable(5));
        io.field("ReadOnly", m.read_only, since(5));
        io.field("ConfigSource", m.config_source, since(5));
        io.field("IsSensitive", m.is_sensitive, since(5));
      }
    };
    std::string_view name;
    Uuid topic_id;
    std::int16_t error_code = 0;
    std::optional<std::string_view> error_message = std::string_view();
    std::int16_t topic_config_error_code = 0;
    std::int32_t num_partitions = -1;
    std::int16_t replication_factor = -1;
    std::optional<std::vector<CreatableTopicConfigs>> configs =
        std::vector<CreatableTopicConfigs>();

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("TopicId", m.topic_id, since(7));
      io.field("ErrorCode", m.error_code);
      io.field("ErrorMessage", m.error_message, since(2).nullable(2));
      io.field("NumPartitions", m.num_partitions, since(5));
      io.field("ReplicationFactor", m.replication_factor, since(5));
      io.field("Configs", m.configs, since(5).nullable(5));
      io.tagged(0, "TopicConfigErrorCode", m.topic_config_error_code, since(5));
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<CreatableTopicResult> topics;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("Topics", m.topics);
  }
};

struct DeleteTopicsRequest {
  static constexpr ApiId kApi{20, "DeleteTopics", 1, 6, 4};
  struct DeleteTopicState {
    std::optional<std::string_view> name;
    Uuid topic_id;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name, since(6).nullable(6));
      io.field("TopicId", m.topic_id, since(6));
    }
  };
  std::vector<DeleteTopicState> topics;
  std::vector<std::string_view> topic_names;
  std::int32_t timeout_ms = 0;

  static void describe(auto& io, auto& m) {
    io.field("Topics", m.topics, since(6));
    io.field("TopicNames", m.topic_names, between(1, 5));
    io.field("TimeoutMs", m.timeout_ms);
  }
};

struct DeleteTopicsResponse {
  struct DeletableTopicResult {
    std::optional<std::string_view> name = std::string_view();
    Uuid topic_id;
    std::int16_t error_code = 0;
    std::optional<std::string_view> error_message;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name, since(1).nullable(6));
      io.field("TopicId", m.topic_id, since(6));
      io.field("ErrorCode", m.error_code);
      io.field("ErrorMessage", m.error_message, since(5).nullable(5));
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<DeletableTopicResult> responses;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("Responses", m.responses);
  }
};

struct CreatePartitionsRequest {
  static constexpr ApiId kApi{37, "CreatePartitions", 0, 3, 2};
  struct CreatePartitionsTopic {
    struct CreatePartitionsAssignment {
      std::vector<std::int32_t> broker_ids;

      static void describe(auto& io, auto& m) { io.field("BrokerIds", m.broker_ids); }
    };
    std::string_view name;
    std::int32_t count = 0;
    std::optional<std::vector<CreatePartitionsAssignment>> assignments =
        std::vector<CreatePartitionsAssignment>();

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("Count", m.count);
      io.field("Assignments", m.assignments, since(0).nullable(0));
    }
  };
  std::vector<CreatePartitionsTopic> topics;
  std::int32_t timeout_ms = 0;
  bool validate_only = false;

  static void describe(auto& io, auto& m) {
    io.field("Topics", m.topics);
    io.field("TimeoutMs", m.timeout_ms);
    io.field("ValidateOnly", m.validate_only);
  }
};

struct CreatePartitionsResponse {
  struct CreatePartitionsTopicResult {
    std::string_view name;
    std::int16_t error_code = 0;
    std::optional<std::string_view> error_message;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("ErrorCode", m.error_code);
      io.field("ErrorMessage", m.error_message, since(0).nullable(0));
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<CreatePartitionsTopicResult> results;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("Results", m.results);
  }
};

struct DeleteRecordsRequest {
  static constexpr ApiId kApi{21, "DeleteRecords", 0, 2, 2};
  struct DeleteRecordsTopic {
    struct DeleteRecordsPartition {
      std::int32_t partition_index = 0;
      std::int64_t offset = 0;

      static void describe(auto& io, auto& m) {
        io.field("PartitionIndex", m.partition_index);
        io.field("Offset", m.offset);
      }
    };
    std::string_view name;
    std::vector<DeleteRecordsPartition> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("Partitions", m.partitions);
    }
  };
  std::vector<DeleteRecordsTopic> topics;
  std::int32_t timeout_ms = 0;

  static void describe(auto& io, auto& m) {
    io.field("Topics", m.topics);
    io.field("TimeoutMs", m.timeout_ms);
  }
};

struct DeleteRecordsResponse {
  struct DeleteRecordsTopicResult {
    struct DeleteRecordsPartitionResult {
      std::int32_t partition_index = 0;
      std::int64_t low_watermark = 0;
      std::int16_t error_code = 0;

      static void describe(auto& io, auto& m) {
        io.field("PartitionIndex", m.partition_index);
        io.field("LowWatermark", m.low_watermark);
        io.field("ErrorCode", m.error_code);
      }
    };
    std::string_view name;
    std::vector<DeleteRecordsPartitionResult> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("Partitions", m.partitions);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<DeleteRecordsTopicResult> topics;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("Topics", m.topics);
  }
};

}  // namespace weft::kafka
