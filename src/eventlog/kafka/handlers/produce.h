// Produce in two steps, so that the requests of one connection go into the log one behind another
// while earlier ones still wait for the disk: prepare() reads, checks and copies the batches at
// once, append() waits for the log and answers.
#pragma once

#include "eventlog/kafka/edge/broker.h"
#include "eventlog/kafka/messages/produce.h"
#include "runtime/spans.h"

namespace weft::kafka {

struct PreparedProduce {
  // A record that people look for by a business key.
  struct KeyedRecord {
    std::int32_t index = 0;  // in its batch
    std::optional<TraceContext> parent;
    std::vector<contracts::FoundBusinessKey> keys;
  };
  struct Partition {
    std::int32_t index = 0;
    KafkaError error = KafkaError::None;
    std::int32_t batch = -1;  // place in `batches`; -1: refused
    std::string message;
    std::vector<std::pair<std::int32_t, std::string>> record_errors;
    std::vector<KeyedRecord> keyed;
    eventlog::DedupeIndex::Claims claims;
    eventlog::StreamId quarantine{};  // of the batch behind `batch`, where there is one
  };
  struct Topic {
    std::string name;
    eventlog::StreamRef stream;  // null: refused
    std::vector<Partition> partitions;
  };

  bool wants_response = true;  // acks other than 0
  bool may_be_transactional = false;
  WallTime received{};
  std::vector<Topic> topics;
  std::vector<eventlog::BatchToAppend> batches;
  std::size_t bytes = 0;           // of the batches
  std::uint64_t bytes_sent = 0;    // also of those that were refused
  std::uint64_t records_sent = 0;  // of batches that could be read
};

// Owns what it keeps: the frame may go.
PreparedProduce prepare_produce(Call& call, const ProduceRequest& request);

// Answers into call.response unless none is wanted; then a failure closes the connection, since
// there is no other way to tell.
Task<void> append_produce(Call& call, PreparedProduce produce);

}  // namespace weft::kafka
