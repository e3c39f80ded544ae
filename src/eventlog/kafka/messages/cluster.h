// Metadata and DescribeCluster.
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

struct MetadataRequest {
  static constexpr ApiId kApi{3, "Metadata", 0, 13, 9};
  struct MetadataRequestTopic {
    Uuid topic_id;
    std::optional<std::string_view> name = std::string_view();

    static void describe(auto& io, auto& m) {
      io.field("TopicId", m.topic_id, since(10));
      io.field("Name", m.name, since(0).nullable(10));
    }
  };
  std::optional<std::vector<MetadataRequestTopic>> topics = std::vector<MetadataRequestTopic>();
  bool allow_auto_topic_creation = true;
  bool include_cluster_authorized_operations = false;
  bool include_topic_authorized_operations = false;

  static void describe(auto& io, auto& m) {
    io.field("Topics", m.topics, since(0).nullable(1));
    io.field("AllowAutoTopicCreation", m.allow_auto_topic_creation, since(4));
    io.field("IncludeClusterAuthorizedOperations", m.include_cluster_authorized_operations,
             between(8, 10));
    io.field("IncludeTopicAuthorizedOperations", m.include_topic_authorized_operations, since(8));
  }
};

struct MetadataResponse {
  struct MetadataResponseBroker {
    std::int32_t node_id = 0;
    std::string_view host;
    std::int32_t port = 0;
    std::optional<std::string_view> rack;

    static void describe(auto& io, auto& m) {
      io.field("NodeId", m.node_id);
      io.field("Host", m.host);
      io.field("Port", m.port);
      io.field("Rack", m.rack, since(1).nullable(1));
    }
  };
  struct MetadataResponseTopic {
    struct MetadataResponsePartition {
      std::int16_t error_code = 0;
      std::int32_t partition_index = 0;
      std::int32_t leader_id = 0;
      std::int32_t leader_epoch = -1;
      std::vector<std::int32_t> replica_nodes;
      std::vector<std::int32_t> isr_nodes;
      std::vector<std::int32_t> offline_replicas;

      static void describe(auto& io, auto& m) {
        io.field("ErrorCode", m.error_code);
        io.field("PartitionIndex", m.partition_index);
        io.field("LeaderId", m.leader_id);
        io.field("LeaderEpoch", m.leader_epoch, since(7));
        io.field("ReplicaNodes", m.replica_nodes);
        io.field("IsrNodes", m.isr_nodes);
        io.field("OfflineReplicas", m.offline_replicas, since(5));
      }
    };
    std::int16_t error_code = 0;
    std::optional<std::string_view> name = std::string_view();
    Uuid topic_id;
    bool is_internal = false;
    std::vector<MetadataResponsePartition> partitions;
    std::int32_t topic_authorized_operations = INT32_MIN;

    static void describe(auto& io, auto& m) {
      io.field("ErrorCode", m.error_code);
      io.field("Name", m.name, since(0).nullable(12));
      io.field("TopicId", m.topic_id, since(10));
      io.field("IsInternal", m.is_internal, since(1));
      io.field("Partitions", m.partitions);
      io.field("TopicAuthorizedOperations", m.topic_authorized_operations, since(8));
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<MetadataResponseBroker> brokers;
  std::optional<std::string_view> cluster_id;
  std::int32_t controller_id = -1;
  std::vector<MetadataResponseTopic> topics;
  std::int32_t cluster_authorized_operations = INT32_MIN;
  std::int16_t error_code = 0;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms, since(3));
    io.field("Brokers", m.brokers);
    io.field("ClusterId", m.cluster_id, since(2).nullable(2));
    io.field("ControllerId", m.controller_id, since(1));
    io.field("Topics", m.topics);
    io.field("ClusterAuthorizedOperations", m.cluster_authorized_operations, between(8, 10));
    io.field("ErrorCode", m.error_code, since(13));
  }
};

struct DescribeClusterRequest {
  static constexpr ApiId kApi{60, "DescribeCluster", 0, 2, 0};
  bool include_cluster_authorized_operations = false;
  std::int8_t endpoint_type = 1;
  bool include_fenced_brokers = false;

  static void describe(auto& io, auto& m) {
    io.field("IncludeClusterAuthorizedOperations", m.include_cluster_authorized_operations);
    io.field("EndpointType", m.endpoint_type, since(1));
    io.field("IncludeFencedBrokers", m.include_fenced_brokers, since(2));
  }
};

struct DescribeClusterResponse {
  struct DescribeClusterBroker {
    std::int32_t broker_id = 0;
    std::string_view host;
    std::int32_t port = 0;
    std::optional<std::string_view> rack;
    bool is_fenced = false;

    static void describe(auto& io, auto& m) {
      io.field("BrokerId", m.broker_id);
      io.field("Host", m.host);
      io.field("Port", m.port);
      io.field("Rack", m.rack, since(0).nullable(0));
      io.field("IsFenced", m.is_fenced, since(2));
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::optional<std::string_view> error_message;
  std::int8_t endpoint_type = 1;
  std::string_view cluster_id;
  std::int32_t controller_id = -1;
  std::vector<DescribeClusterBroker> brokers;
  std::int32_t cluster_authorized_operations = INT32_MIN;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("ErrorCode", m.error_code);
    io.field("ErrorMessage", m.error_message, since(0).nullable(0));
    io.field("EndpointType", m.endpoint_type, since(1));
    io.field("ClusterId", m.cluster_id);
    io.field("ControllerId", m.controller_id);
    io.field("Brokers", m.brokers);
    io.field("ClusterAuthorizedOperations", m.cluster_authorized_operations);
  }
};

}  // namespace weft::kafka
