// Transactions: AddPartitionsToTxn, AddOffsetsToTxn, EndTxn, WriteTxnMarkers, TxnOffsetCommit,
// DescribeProducers, DescribeTransactions, ListTransactions.
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

struct AddPartitionsToTxnRequest {
  static constexpr ApiId kApi{24, "AddPartitionsToTxn", 0, 3, 3};
  struct Topic {
    std::string_view name;
    std::vector<std::int32_t> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("Partitions", m.partitions);
    }
  };
  std::string_view transactional_id;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::vector<Topic> topics;

  static void describe(auto& io, auto& m) {
    io.field("V3AndBelowTransactionalId", m.transactional_id);
    io.field("V3AndBelowProducerId", m.producer_id);
    io.field("V3AndBelowProducerEpoch", m.producer_epoch);
    io.field("V3AndBelowTopics", m.topics);
  }
};

struct AddPartitionsToTxnResponse {
  struct TopicResult {
    struct PartitionResult {
      std::int32_t partition_index = 0;
      std::int16_t partition_error_code = 0;

      static void describe(auto& io, auto& m) {
        io.field("PartitionIndex", m.partition_index);
        io.field("PartitionErrorCode", m.partition_error_code);
      }
    };
    std::string_view name;
    std::vector<PartitionResult> results_by_partition;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("ResultsByPartition", m.results_by_partition);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<TopicResult> results_by_topic;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("ResultsByTopicV3AndBelow", m.results_by_topic);
  }
};

struct AddOffsetsToTxnRequest {
  static constexpr ApiId kApi{25, "AddOffsetsToTxn", 0, 4, 3};
  std::string_view transactional_id;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::string_view group_id;

  static void describe(auto& io, auto& m) {
    io.field("TransactionalId", m.transactional_id);
    io.field("ProducerId", m.producer_id);
    io.field("ProducerEpoch", m.producer_epoch);
    io.field("GroupId", m.group_id);
  }
};

struct AddOffsetsToTxnResponse {
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("ErrorCode", m.error_code);
  }
};

struct EndTxnRequest {
  static constexpr ApiId kApi{26, "EndTxn", 0, 4, 3};
  std::string_view transactional_id;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  bool committed = false;

  static void describe(auto& io, auto& m) {
    io.field("TransactionalId", m.transactional_id);
    io.field("ProducerId", m.producer_id);
    io.field("ProducerEpoch", m.producer_epoch);
    io.field("Committed", m.committed);
  }
};

struct EndTxnResponse {
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("ErrorCode", m.error_code);
  }
};

struct WriteTxnMarkersRequest {
  static constexpr ApiId kApi{27, "WriteTxnMarkers", 1, 1, 1};
  struct Marker {
    struct Topic {
      std::string_view name;
      std::vector<std::int32_t> partition_indexes;

      static void describe(auto& io, auto& m) {
        io.field("Name", m.name);
        io.field("PartitionIndexes", m.partition_indexes);
      }
    };
    std::int64_t producer_id = -1;
    std::int16_t producer_epoch = -1;
    bool transaction_result = false;  // true: it is committed
    std::vector<Topic> topics;
    std::int32_t coordinator_epoch = -1;

    static void describe(auto& io, auto& m) {
      io.field("ProducerId", m.producer_id);
      io.field("ProducerEpoch", m.producer_epoch);
      io.field("TransactionResult", m.transaction_result);
      io.field("Topics", m.topics);
      io.field("CoordinatorEpoch", m.coordinator_epoch);
    }
  };
  std::vector<Marker> markers;

  static void describe(auto& io, auto& m) { io.field("Markers", m.markers); }
};

struct WriteTxnMarkersResponse {
  struct Marker {
    struct Topic {
      struct Partition {
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;

        static void describe(auto& io, auto& m) {
          io.field("PartitionIndex", m.partition_index);
          io.field("ErrorCode", m.error_code);
        }
      };
      std::string_view name;
      std::vector<Partition> partitions;

      static void describe(auto& io, auto& m) {
        io.field("Name", m.name);
        io.field("Partitions", m.partitions);
      }
    };
    std::int64_t producer_id = -1;
    std::vector<Topic> topics;

    static void describe(auto& io, auto& m) {
      io.field("ProducerId", m.producer_id);
      io.field("Topics", m.topics);
    }
  };
  std::vector<Marker> markers;

  static void describe(auto& io, auto& m) { io.field("Markers", m.markers); }
};

struct TxnOffsetCommitRequest {
  static constexpr ApiId kApi{28, "TxnOffsetCommit", 0, 4, 3};
  struct Topic {
    struct Partition {
      std::int32_t partition_index = 0;
      std::int64_t committed_offset = -1;
      std::int32_t committed_leader_epoch = -1;
      std::optional<std::string_view> committed_metadata = std::string_view();

      static void describe(auto& io, auto& m) {
        io.field("PartitionIndex", m.partition_index);
        io.field("CommittedOffset", m.committed_offset);
        io.field("CommittedLeaderEpoch", m.committed_leader_epoch, since(2));
        io.field("CommittedMetadata", m.committed_metadata, since(0).nullable(0));
      }
    };
    std::string_view name;
    std::vector<Partition> partitions;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("Partitions", m.partitions);
    }
  };
  std::string_view transactional_id;
  std::string_view group_id;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int32_t generation_id = -1;
  std::string_view member_id;
  std::optional<std::string_view> group_instance_id;
  std::vector<Topic> topics;

  static void describe(auto& io, auto& m) {
    io.field("TransactionalId", m.transactional_id);
    io.field("GroupId", m.group_id);
    io.field("ProducerId", m.producer_id);
    io.field("ProducerEpoch", m.producer_epoch);
    io.field("GenerationId", m.generation_id, since(3));
    io.field("MemberId", m.member_id, since(3));
    io.field("GroupInstanceId", m.group_instance_id, since(3).nullable(3));
    io.field("Topics", m.topics);
  }
};

struct TxnOffsetCommitResponse {
  struct Topic {
    struct Partition {
      std::int32_t partition_index = 0;
      std::int16_t error_code = 0;

      static void describe(auto& io, auto& m) {
        io.field("PartitionIndex", m.partition_index);
        io.field("ErrorCode", m.error_code);
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
  std::vector<Topic> topics;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("Topics", m.topics);
  }
};

struct DescribeProducersRequest {
  static constexpr ApiId kApi{61, "DescribeProducers", 0, 0, 0};
  struct Topic {
    std::string_view name;
    std::vector<std::int32_t> partition_indexes;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("PartitionIndexes", m.partition_indexes);
    }
  };
  std::vector<Topic> topics;

  static void describe(auto& io, auto& m) { io.field("Topics", m.topics); }
};

struct DescribeProducersResponse {
  struct Topic {
    struct Partition {
      struct ProducerState {
        std::int64_t producer_id = -1;
        std::int32_t producer_epoch = -1;
        std::int32_t last_sequence = -1;
        std::int64_t last_timestamp = -1;
        std::int32_t coordinator_epoch = -1;
        std::int64_t current_txn_start_offset = -1;

        static void describe(auto& io, auto& m) {
          io.field("ProducerId", m.producer_id);
          io.field("ProducerEpoch", m.producer_epoch);
          io.field("LastSequence", m.last_sequence);
          io.field("LastTimestamp", m.last_timestamp);
          io.field("CoordinatorEpoch", m.coordinator_epoch);
          io.field("CurrentTxnStartOffset", m.current_txn_start_offset);
        }
      };
      std::int32_t partition_index = 0;
      std::int16_t error_code = 0;
      std::optional<std::string_view> error_message;
      std::vector<ProducerState> active_producers;

      static void describe(auto& io, auto& m) {
        io.field("PartitionIndex", m.partition_index);
        io.field("ErrorCode", m.error_code);
        io.field("ErrorMessage", m.error_message, since(0).nullable(0));
        io.field("ActiveProducers", m.active_producers);
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
  std::vector<Topic> topics;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("Topics", m.topics);
  }
};

struct DescribeTransactionsRequest {
  static constexpr ApiId kApi{65, "DescribeTransactions", 0, 0, 0};
  std::vector<std::string_view> transactional_ids;

  static void describe(auto& io, auto& m) { io.field("TransactionalIds", m.transactional_ids); }
};

struct DescribeTransactionsResponse {
  struct Transaction {
    struct Topic {
      std::string_view topic;
      std::vector<std::int32_t> partitions;

      static void describe(auto& io, auto& m) {
        io.field("Topic", m.topic);
        io.field("Partitions", m.partitions);
      }
    };
    std::int16_t error_code = 0;
    std::string_view transactional_id;
    std::string_view transaction_state;
    std::int32_t transaction_timeout_ms = 0;
    std::int64_t transaction_start_time_ms = -1;
    std::int64_t producer_id = -1;
    std::int16_t producer_epoch = -1;
    std::vector<Topic> topics;

    static void describe(auto& io, auto& m) {
      io.field("ErrorCode", m.error_code);
      io.field("TransactionalId", m.transactional_id);
      io.field("TransactionState", m.transaction_state);
      io.field("TransactionTimeoutMs", m.transaction_timeout_ms);
      io.field("TransactionStartTimeMs", m.transaction_start_time_ms);
      io.field("ProducerId", m.producer_id);
      io.field("ProducerEpoch", m.producer_epoch);
      io.field("Topics", m.topics);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Transaction> transaction_states;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("TransactionStates", m.transaction_states);
  }
};

struct ListTransactionsRequest {
  static constexpr ApiId kApi{66, "ListTransactions", 0, 1, 0};
  std::vector<std::string_view> state_filters;
  std::vector<std::int64_t> producer_id_filters;
  std::int64_t duration_filter = -1;

  static void describe(auto& io, auto& m) {
    io.field("StateFilters", m.state_filters);
    io.field("ProducerIdFilters", m.producer_id_filters);
    io.field("DurationFilter", m.duration_filter, since(1));
  }
};

struct ListTransactionsResponse {
  struct Transaction {
    std::string_view transactional_id;
    std::int64_t producer_id = -1;
    std::string_view transaction_state;

    static void describe(auto& io, auto& m) {
      io.field("TransactionalId", m.transactional_id);
      io.field("ProducerId", m.producer_id);
      io.field("TransactionState", m.transaction_state);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::vector<std::string_view> unknown_state_filters;
  std::vector<Transaction> transaction_states;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("ErrorCode", m.error_code);
    io.field("UnknownStateFilters", m.unknown_state_filters);
    io.field("TransactionStates", m.transaction_states);
  }
};

}  // namespace weft::kafka
