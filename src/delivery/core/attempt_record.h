// Records of the internal streams: attempts (JSON) and cursors (binary). The formats are described
// in docs/delivery.md. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "delivery/delivery_types.h"
#include "eventlog/ack_set.h"

namespace weft::delivery {

// What is kept of an answer.
inline constexpr std::size_t kResponseBodyKept = 2 * 1024;
inline constexpr std::size_t kResponseHeadersKept = 32;
inline constexpr std::size_t kHeaderValueKept = 512;
inline constexpr std::size_t kErrorKept = 512;
inline constexpr std::string_view kRedacted = "[redacted]";

// Whether a header's value must not be stored: credentials, cookies, signatures, tokens.
bool is_secret_header(std::string_view name);
// Names and values as they are kept: secrets redacted, long values and lists cut.
HeaderList kept_headers(const HeaderList& headers);
// The text cut to at most `bytes_max` bytes at a character's end; bytes that are not UTF-8
// replaced.
std::string kept_text(std::string_view text, std::size_t bytes_max);

struct AttemptRecord {
  DeliverySummary delivery;  // as it is after this attempt
  AttemptDetail attempt;
};

// `delivery` as it is after the attempt.
std::string attempt_json(const DeliverySummary& delivery, const AttemptDetail& attempt);
Result<AttemptRecord> parse_attempt(std::string_view json);

// Where one subscription stands in one partition.
struct CursorRecord {
  Uuid topic_id;
  std::uint64_t delivered = 0;  // over the whole life of the subscription
  eventlog::AckSet acks;
};
// `piece`: of the journal of its acknowledgement set.
std::string encode_cursor(const Uuid& topic_id, std::uint64_t delivered, std::string_view piece);
// Whether the record tells only what changed since the one before it.
bool continues_cursor(std::string_view record);
// All records of one cursor from the last that stands for itself on, oldest first.
Result<CursorRecord> decode_cursor(std::span<const std::string> records,
                                   eventlog::AckLimits limits);

}  // namespace weft::delivery
