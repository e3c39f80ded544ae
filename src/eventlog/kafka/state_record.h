// How keys and values of internal streams are written: a version (int16, now 1), then a described
// message in its flexible form, so that later versions can add tagged fields.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "eventlog/kafka/protocol/reader.h"
#include "eventlog/kafka/protocol/writer.h"

namespace weft::kafka {

inline constexpr std::int16_t kStateRecordVersion = 1;

template <class M>
std::string encode_state_record(const M& message) {
  Frame frame;
  append_be(frame.bytes, kStateRecordVersion);
  Writer(frame, kStateRecordVersion, true).message(message);
  return std::move(frame.bytes);
}

// Views of the bytes. Unsupported for another version, InvalidArgument for bytes that are no such
// record.
template <class M>
Result<M> decode_state_record(std::string_view bytes) {
  if (bytes.size() < sizeof kStateRecordVersion)
    return fail(ErrorCode::InvalidArgument, "no record of a coordinator");
  const auto version = load_be<std::int16_t>(bytes.data());
  if (version != kStateRecordVersion)
    return fail(ErrorCode::Unsupported, "a coordinator's record of version {}", version);
  return Reader(bytes.substr(sizeof version), version, true).message<M>();
}

}  // namespace weft::kafka
