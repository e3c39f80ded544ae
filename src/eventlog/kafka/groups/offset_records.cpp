#include "eventlog/kafka/groups/offset_records.h"

#include "eventlog/kafka/protocol/reader.h"
#include "eventlog/kafka/protocol/writer.h"

namespace weft::kafka {
namespace {

constexpr std::int16_t kVersion = 1;

template <class M>
std::string encode_record(const M& message) {
  Frame frame;
  append_be(frame.bytes, kVersion);
  Writer(frame, kVersion, true).message(message);
  return std::move(frame.bytes);
}

template <class M>
Result<M> decode_record(std::string_view bytes) {
  if (bytes.size() < sizeof kVersion) return fail(ErrorCode::InvalidArgument, "no offset record");
  const auto version = load_be<std::int16_t>(bytes.data());
  if (version != kVersion)
    return fail(ErrorCode::Unsupported, "offset record of version {}", version);
  return Reader(bytes.substr(sizeof kVersion), version, true).message<M>();
}

}  // namespace

std::string encode(const OffsetRecordKey& key) {
  return encode_record(key);
}
std::string encode(const OffsetRecordValue& value) {
  return encode_record(value);
}

Result<OffsetRecordKey> decode_offset_key(std::string_view bytes) {
  return decode_record<OffsetRecordKey>(bytes);
}
Result<OffsetRecordValue> decode_offset_value(std::string_view bytes) {
  return decode_record<OffsetRecordValue>(bytes);
}

}  // namespace weft::kafka
