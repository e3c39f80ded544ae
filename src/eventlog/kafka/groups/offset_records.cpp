#include "eventlog/kafka/groups/offset_records.h"

#include "eventlog/kafka/state_record.h"

namespace weft::kafka {

std::string encode(const OffsetRecordKey& key) {
  return encode_state_record(key);
}
std::string encode(const OffsetRecordValue& value) {
  return encode_state_record(value);
}

Result<OffsetRecordKey> decode_offset_key(std::string_view bytes) {
  return decode_state_record<OffsetRecordKey>(bytes);
}
Result<OffsetRecordValue> decode_offset_value(std::string_view bytes) {
  return decode_state_record<OffsetRecordValue>(bytes);
}

}  // namespace weft::kafka
