// The records of `__weft.transactions`, keyed by kind, tenant and transactional id: which producer
// the id has, and which offsets its transaction will commit. A record without a value says that
// there is none any more. Versioned as the groups' records are (groups/offset_records.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "eventlog/kafka/protocol/fields.h"

namespace weft::kafka {

enum class TransactionRecordKind : std::int8_t { Producer = 0, PendingOffsets = 1 };

struct TransactionRecordKey {
  std::int8_t kind = 0;
  std::string_view tenant;
  std::string_view id;

  static void describe(auto& io, auto& m) {
    io.field("Kind", m.kind);
    io.field("Tenant", m.tenant);
    io.field("TransactionalId", m.id);
  }
};

struct ProducerRecord {
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int64_t timeout_ms = 0;

  static void describe(auto& io, auto& m) {
    io.field("ProducerId", m.producer_id);
    io.field("ProducerEpoch", m.producer_epoch);
    io.field("TimeoutMs", m.timeout_ms);
  }
};

struct PendingOffsetsRecord {
  struct Offset {
    std::string_view group;
    Uuid topic;
    std::int32_t partition = 0;
    std::int64_t offset = -1;
    std::int32_t leader_epoch = -1;
    std::string_view metadata;

    static void describe(auto& io, auto& m) {
      io.field("Group", m.group);
      io.field("Topic", m.topic);
      io.field("Partition", m.partition);
      io.field("Offset", m.offset);
      io.field("LeaderEpoch", m.leader_epoch);
      io.field("Metadata", m.metadata);
    }
  };
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::vector<Offset> offsets;

  static void describe(auto& io, auto& m) {
    io.field("ProducerId", m.producer_id);
    io.field("ProducerEpoch", m.producer_epoch);
    io.field("Offsets", m.offsets);
  }
};

}  // namespace weft::kafka
