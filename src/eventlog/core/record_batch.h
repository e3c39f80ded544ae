// Kafka record batches, format v2: reading in place, checking, and building.
//
// Layout (big-endian): base offset i64 @0, length i32 @8 (of what follows), leader epoch i32 @12,
// magic i8 @16, CRC-32C u32 @17 over everything from @21, attributes i16 @21, last offset delta i32
// @23, base and max timestamp i64 @27 @35, producer id i64 @43, producer epoch i16 @51, base
// sequence i32 @53, record count i32 @57, records @61. Base offset and leader epoch are outside of
// the checksum, so a log gives a batch its place without touching the rest.
//
// Views point into the bytes given; nothing is copied except by decompression. Pure; any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "eventlog/compression.h"
#include "eventlog/types.h"

namespace weft::eventlog {

inline constexpr std::size_t kBatchHeaderBytes = 61;
inline constexpr std::size_t kBatchLengthEnd = 12;  // the length field counts from here

// Bits of a batch's attributes.
inline constexpr std::int16_t kAppendTimeBit = 0x08;
inline constexpr std::int16_t kTransactionalBit = 0x10;
inline constexpr std::int16_t kControlBit = 0x20;
// Kafka defines none from 0x80 on. The highest is reserved for batches of streams whose payload is
// encrypted: what follows the header then begins with a key id (docs/formats/README.md).
inline constexpr int kUndefinedBits = 0xff80;

struct BatchHeader {
  Offset base_offset = 0;
  std::int32_t length = 0;
  std::int32_t leader_epoch = -1;
  std::uint32_t crc = 0;
  std::int16_t attributes = 0;
  std::int32_t last_offset_delta = 0;
  std::int64_t base_timestamp = 0;  // milliseconds since 1970
  std::int64_t max_timestamp = 0;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
  std::int32_t record_count = 0;

  Codec codec() const { return static_cast<Codec>(attributes & 0x07); }
  bool has_append_time() const { return (attributes & kAppendTimeBit) != 0; }
  bool is_transactional() const { return (attributes & kTransactionalBit) != 0; }
  bool is_control() const { return (attributes & kControlBit) != 0; }
  std::size_t bytes() const { return kBatchLengthEnd + static_cast<std::size_t>(length); }
  Offset last_offset() const { return base_offset + last_offset_delta; }
  Offset next_offset() const { return last_offset() + 1; }
};

// Reads the header in front of `bytes`, which may hold more than the batch, or less than its
// records. InvalidArgument: shorter than a header, another magic, or a length that cannot be.
Result<BatchHeader> read_batch_header(std::string_view bytes);

// Requires: `batch` is one whole batch. DataLoss when the checksum differs.
Result<> verify_batch_checksum(std::string_view batch);

// What must hold of a batch before it may be appended, apart from its records' bytes: exactly one
// whole batch, checksum, a known codec, a record count that agrees with the last offset delta, no
// control batch, no undefined attributes, sane producer fields. DataLoss (checksum, truncation),
// Unsupported (codec), InvalidArgument.
Result<BatchHeader> check_batch(std::string_view batch);

// The records' bytes of a whole batch: a view of the batch, or of `scratch` when it is compressed.
Result<std::string_view> batch_records(std::string_view batch, std::string& scratch,
                                       std::size_t bytes_max = kDecompressedBytesMax);

// In place; the checksum does not cover them.
void set_base_offset(std::span<char> batch, Offset offset);
void set_leader_epoch(std::span<char> batch, std::int32_t epoch);
// Marks the batch as stamped by the log (LogAppendTime) and computes its checksum anew.
void set_append_time(std::span<char> batch, std::int64_t unix_ms);

struct RecordHeaderView {
  std::string_view name;
  std::optional<std::string_view> value;
};

// The headers of one record; well-formed, since RecordReader walked them.
class RecordHeaders {
 public:
  RecordHeaders() = default;
  RecordHeaders(std::string_view bytes, std::int32_t count) : bytes_(bytes), count_(count) {}
  std::int32_t size() const { return count_; }
  // The next one; absent at the end. A copy of this object starts again from where it stands.
  std::optional<RecordHeaderView> next();

 private:
  std::string_view bytes_;
  std::int32_t count_ = 0;
};

struct RecordView {
  Offset offset = 0;
  std::int64_t timestamp = 0;  // milliseconds since 1970
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  RecordHeaders headers;
};

// Walks the records of a batch in order.
class RecordReader {
 public:
  RecordReader(const BatchHeader& header, std::string_view records)
      : header_(header), at_(records.data()), end_(records.data() + records.size()) {}

  // True with a record, false at the end. InvalidArgument when the bytes are malformed, or when
  // bytes follow the last record; then the reader is not used again.
  Result<bool> next(RecordView& into);
  // The bytes of the record that next() gave last, its length in front.
  std::string_view raw() const { return {last_, static_cast<std::size_t>(at_ - last_)}; }

 private:
  BatchHeader header_;
  const char* at_;
  const char* last_ = nullptr;
  const char* end_;
  std::int32_t read_ = 0;
};

// Records of a batch that are to be left of it, as they are.
struct KeptRecords {
  void add(std::string_view raw, std::int64_t timestamp) {
    bytes += raw;
    max_timestamp = count == 0 ? timestamp : std::max(max_timestamp, timestamp);
    ++count;
  }
  std::string bytes;
  std::int64_t max_timestamp = 0;
  std::int32_t count = 0;
};
// The batch with these of its records alone: it keeps its offsets, sequence and codec. None may be
// left: then it stands for its offsets.
Result<std::string> with_records(std::string_view batch, const KeptRecords& kept);

struct BatchOptions {
  Codec codec = Codec::None;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
  bool is_transactional = false;
  bool is_control = false;
};

// A batch without records that stands for the offsets [first, end): what is left of a range that
// was lost or removed, so that a reader at its first offset can go on behind it. Kafka leaves the
// same behind when it compacts. Requires: first < end.
std::string empty_batch(std::int64_t first, std::int64_t end, std::int32_t leader_epoch);

// What a control batch says of its producer's transaction.
enum class ControlType : std::int16_t { Abort = 0, Commit = 1 };
// A batch that ends a transaction, with base offset 0 until the log sets it.
std::string control_batch(ControlType type, std::int64_t producer_id, std::int16_t producer_epoch,
                          std::int64_t unix_ms);
// Requires a control batch. InvalidArgument for one that is malformed or of another type.
Result<ControlType> control_type(std::string_view batch);

// Records in, one batch out, with base offset 0 and leader epoch -1 until the log sets them.
class BatchBuilder {
 public:
  using Headers = std::span<const std::pair<std::string, std::string>>;
  using BorrowedHeaders = std::span<const std::pair<std::string_view, std::string_view>>;

  BatchBuilder() : BatchBuilder(BatchOptions()) {}
  explicit BatchBuilder(const BatchOptions& options) : options_(options) {}

  void add(std::int64_t unix_ms, std::optional<std::string_view> key,
           std::optional<std::string_view> value, Headers headers = {});
  void add_borrowed(std::int64_t unix_ms, std::optional<std::string_view> key,
                    std::optional<std::string_view> value, BorrowedHeaders headers);
  std::int32_t record_count() const { return record_count_; }
  // The size of the batch so far, uncompressed.
  std::size_t bytes() const { return std::max(out_.size(), kBatchHeaderBytes); }

  // Requires at least one record. The builder is empty afterwards.
  Result<std::string> finish();

 private:
  template <class List>
  void add_record(std::int64_t unix_ms, std::optional<std::string_view> key,
                  std::optional<std::string_view> value, const List& headers);

  BatchOptions options_;
  std::string out_;  // empty, or a header's room and the records so far
  std::int64_t base_timestamp_ = 0;
  std::int64_t max_timestamp_ = 0;
  std::int32_t record_count_ = 0;
};

}  // namespace weft::eventlog
