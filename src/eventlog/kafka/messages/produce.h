// Produce and InitProducerId.
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

struct ProduceRequest {
  static constexpr ApiId kApi{0, "Produce", 3, 11, 9};
  struct TopicProduceData {
    struct PartitionProduceData {
      std::int32_t index = 0;
      std::optional<Records> records = Records();

      static void describe(auto& io, auto& m) {
        io.field("Index", m.index);
        io.field("Records", m.records, since(3).nullable(3));
      }
    };
    std::string_view name;
    std::vector<PartitionProduceData> partition_data;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("PartitionData", m.partition_data);
    }
  };
  std::optional<std::string_view> transactional_id;
  std::int16_t acks = 0;
  std::int32_t timeout_ms = 0;
  std::vector<TopicProduceData> topic_data;

  static void describe(auto& io, auto& m) {
    io.field("TransactionalId", m.transactional_id, since(3).nullable(3));
    io.field("Acks", m.acks);
    io.field("TimeoutMs", m.timeout_ms);
    io.field("TopicData", m.topic_data);
  }
};

struct ProduceResponse {
  struct TopicProduceResponse {
    struct PartitionProduceResponse {
      struct BatchIndexAndErrorMessage {
        std::int32_t batch_index = 0;
        std::optional<std::string_view> batch_index_error_message;

        static void describe(auto& io, auto& m) {
          io.field("BatchIndex", m.batch_index, since(8));
          io.field("BatchIndexErrorMessage", m.batch_index_error_message, since(8).nullable(8));
        }
      };
      std::int32_t index = 0;
      std::int16_t error_code = 0;
      std::int64_t base_offset = 0;
      std::int64_t log_append_time_ms = -1;
      std::int64_t log_start_offset = -1;
      std::vector<BatchIndexAndErrorMessage> record_errors;
      std::optional<std::string_view> error_message;

      static void describe(auto& io, auto& m) {
        io.field("Index", m.index);
        io.field("ErrorCode", m.error_code);
        io.field("BaseOffset", m.base_offset);
        io.field("LogAppendTimeMs", m.log_append_time_ms);
        io.field("LogStartOffset", m.log_start_offset, since(5));
        io.field("RecordErrors", m.record_errors, since(8));
        io.field("ErrorMessage", m.error_message, since(8).nullable(8));
      }
    };
    std::string_view name;
    std::vector<PartitionProduceResponse> partition_responses;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("PartitionResponses", m.partition_responses);
    }
  };
  std::vector<TopicProduceResponse> responses;
  std::int32_t throttle_time_ms = 0;

  static void describe(auto& io, auto& m) {
    io.field("Responses", m.responses);
    io.field("ThrottleTimeMs", m.throttle_time_ms);
  }
};

struct InitProducerIdRequest {
  static constexpr ApiId kApi{22, "InitProducerId", 0, 5, 2};
  std::optional<std::string_view> transactional_id = std::string_view();
  std::int32_t transaction_timeout_ms = 0;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;

  static void describe(auto& io, auto& m) {
    io.field("TransactionalId", m.transactional_id, since(0).nullable(0));
    io.field("TransactionTimeoutMs", m.transaction_timeout_ms);
    io.field("ProducerId", m.producer_id, since(3));
    io.field("ProducerEpoch", m.producer_epoch, since(3));
  }
};

struct InitProducerIdResponse {
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = 0;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("ErrorCode", m.error_code);
    io.field("ProducerId", m.producer_id);
    io.field("ProducerEpoch", m.producer_epoch);
  }
};

}  // namespace weft::kafka
