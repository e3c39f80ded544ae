// What the records of a produced batch are checked for: well-formed, and as their stream's contract
// says. What breaks it refuses the whole batch, or is put aside alone: then the batch keeps its
// sequence and offsets and leaves holes, and its broken records go to the stream's quarantine in
// the same write-ahead entry.
#pragma once

#include "eventlog/core/record_batch.h"
#include "eventlog/kafka/handlers/produce.h"

namespace weft::kafka {

struct CheckedBatch {
  std::string batch;        // what is to be stored; empty: as it was sent
  std::string quarantined;  // the batch for the quarantine; empty: nothing is put aside
};

// Writes a refusal, errors of records, and records with business keys into `partition`.
CheckedBatch check_records(Call& call, const eventlog::BatchHeader& header, std::string_view batch,
                           const eventlog::Stream& stream, PreparedProduce::Partition& partition);

void refuse(PreparedProduce::Partition& partition, KafkaError error, std::string message);
// The protocol's word for what is wrong with a batch's bytes.
KafkaError batch_error(const Error& error);

}  // namespace weft::kafka
