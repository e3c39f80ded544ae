// The records of `__weft.groups`: one per committed offset, keyed by tenant, group, topic id and
// partition; a record without a value says that the offset is gone. Both parts start with a version
// (int16, now 1) and are written as flexible Kafka messages, so later versions can add tagged
// fields.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/uuid.h"
#include "eventlog/kafka/protocol/fields.h"

namespace weft::kafka {

struct OffsetRecordKey {
  std::string_view tenant;
  std::string_view group;
  Uuid topic;
  std::int32_t partition = 0;

  static void describe(auto& io, auto& m) {
    io.field("Tenant", m.tenant);
    io.field("Group", m.group);
    io.field("Topic", m.topic);
    io.field("Partition", m.partition);
  }
};

struct OffsetRecordValue {
  std::int64_t offset = 0;
  std::int32_t leader_epoch = -1;
  std::string_view metadata;
  std::int64_t committed_ms = 0;

  static void describe(auto& io, auto& m) {
    io.field("Offset", m.offset);
    io.field("LeaderEpoch", m.leader_epoch);
    io.field("Metadata", m.metadata);
    io.field("CommittedMs", m.committed_ms);
  }
};

std::string encode(const OffsetRecordKey& key);
std::string encode(const OffsetRecordValue& value);
// Views of the bytes. Unsupported for another version, InvalidArgument for bytes that are no such
// record.
Result<OffsetRecordKey> decode_offset_key(std::string_view bytes);
Result<OffsetRecordValue> decode_offset_value(std::string_view bytes);

}  // namespace weft::kafka
