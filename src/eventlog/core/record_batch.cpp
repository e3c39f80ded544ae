#include "eventlog/core/record_batch.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "eventlog/core/varint.h"

namespace weft::eventlog {
namespace {

constexpr std::size_t kEpochAt = 12;
constexpr std::size_t kMagicAt = 16;
constexpr std::size_t kCrcAt = 17;
constexpr std::size_t kAttributesAt = 21;
constexpr std::size_t kMaxTimestampAt = 35;
constexpr std::int8_t kBatchMagic = 2;

// A varint-prefixed run of bytes; -1 is null.
bool read_nullable(const char*& at, const char* end, std::optional<std::string_view>& into) {
  std::int64_t size = 0;
  if (!read_varint(at, end, size, 32) || size < -1 || size > end - at) return false;
  if (size == -1) {
    into.reset();
    return true;
  }
  into = std::string_view(at, static_cast<std::size_t>(size));
  at += size;
  return true;
}

bool read_header(const char*& at, const char* end, RecordHeaderView& into) {
  std::optional<std::string_view> header_name;
  if (!read_nullable(at, end, header_name) || !header_name) return false;
  into.name = *header_name;
  return read_nullable(at, end, into.value);
}

bool read_record(const char* at, const char* end, const BatchHeader& batch, RecordView& into) {
  if (at == end) return false;
  ++at;  // attributes of a record: none are defined
  std::int64_t timestamp_delta = 0;
  std::int64_t offset_delta = 0;
  if (!read_varint(at, end, timestamp_delta) || !read_varint(at, end, offset_delta, 32))
    return false;
  if (offset_delta < 0 || offset_delta > batch.last_offset_delta) return false;
  into.offset = batch.base_offset + offset_delta;
  into.timestamp =
      batch.has_append_time()
          ? batch.max_timestamp
          : static_cast<std::int64_t>(static_cast<std::uint64_t>(batch.base_timestamp) +
                                      static_cast<std::uint64_t>(timestamp_delta));
  if (!read_nullable(at, end, into.key) || !read_nullable(at, end, into.value)) return false;

  std::int64_t headers = 0;
  if (!read_varint(at, end, headers, 32) || headers < 0) return false;
  const char* first = at;
  RecordHeaderView header;
  for (std::int64_t i = 0; i < headers; ++i) {
    if (!read_header(at, end, header)) return false;
  }
  into.headers = RecordHeaders({first, static_cast<std::size_t>(at - first)},
                               static_cast<std::int32_t>(headers));
  return at == end;
}

std::size_t varint_size(std::int64_t number) {
  return uvarint_size(zigzag(number));
}

std::size_t nullable_size(std::optional<std::string_view> bytes) {
  if (!bytes) return varint_size(-1);
  return varint_size(static_cast<std::int64_t>(bytes->size())) + bytes->size();
}

char* put_varint(char* at, std::int64_t number) {
  auto value = zigzag(number);
  for (; value >= 0x80; value >>= 7) *at++ = static_cast<char>(value | 0x80);
  *at++ = static_cast<char>(value);
  return at;
}

char* put_nullable(char* at, std::optional<std::string_view> bytes) {
  if (!bytes) return put_varint(at, -1);
  at = put_varint(at, static_cast<std::int64_t>(bytes->size()));
  if (!bytes->empty()) std::memcpy(at, bytes->data(), bytes->size());
  return at + bytes->size();
}

}  // namespace

Result<BatchHeader> read_batch_header(std::string_view bytes) {
  if (bytes.size() < kBatchHeaderBytes) {
    return fail(ErrorCode::InvalidArgument, "{} bytes are no record batch", bytes.size());
  }
  const char* at = bytes.data();
  if (const int magic = at[kMagicAt]; magic != kBatchMagic) {
    return fail(ErrorCode::InvalidArgument, "record batch has magic {}, not 2", magic);
  }
  BatchHeader header;
  header.base_offset = load_be<std::int64_t>(at);
  header.length = load_be<std::int32_t>(at + 8);
  header.leader_epoch = load_be<std::int32_t>(at + kEpochAt);
  header.crc = load_be<std::uint32_t>(at + kCrcAt);
  header.attributes = load_be<std::int16_t>(at + kAttributesAt);
  header.last_offset_delta = load_be<std::int32_t>(at + 23);
  header.base_timestamp = load_be<std::int64_t>(at + 27);
  header.max_timestamp = load_be<std::int64_t>(at + kMaxTimestampAt);
  header.producer_id = load_be<std::int64_t>(at + 43);
  header.producer_epoch = load_be<std::int16_t>(at + 51);
  header.base_sequence = load_be<std::int32_t>(at + 53);
  header.record_count = load_be<std::int32_t>(at + 57);
  if (header.length < static_cast<std::int32_t>(kBatchHeaderBytes - kBatchLengthEnd)) {
    return fail(ErrorCode::InvalidArgument, "record batch has length {}", header.length);
  }
  return header;
}

Result<> verify_batch_checksum(std::string_view batch) {
  const auto stated = load_be<std::uint32_t>(batch.data() + kCrcAt);
  const auto computed = crc32c(batch.substr(kAttributesAt));
  if (stated != computed) {
    return fail(ErrorCode::DataLoss, "record batch has checksum {:08x}, its bytes give {:08x}",
                stated, computed);
  }
  return {};
}

Result<BatchHeader> check_batch(std::string_view batch) {
  TRY(const auto header, read_batch_header(batch));
  if (header.bytes() > batch.size()) {
    return fail(ErrorCode::DataLoss, "record batch of {} bytes is cut at {}", header.bytes(),
                batch.size());
  }
  if (header.bytes() < batch.size()) {
    return fail(ErrorCode::InvalidArgument, "more than one record batch for a partition");
  }
  CHECK(verify_batch_checksum(batch));
  if (header.codec() > Codec::Zstd) {
    return fail(ErrorCode::Unsupported, "unknown compression codec {}",
                static_cast<int>(header.codec()));
  }
  if (header.is_control()) {
    return fail(ErrorCode::InvalidArgument, "a client may not send control batches");
  }
  if (header.has_append_time()) {
    return fail(ErrorCode::InvalidArgument, "a client may not set the append time");
  }
  if ((header.attributes & kUndefinedBits) != 0) {
    return fail(ErrorCode::InvalidArgument, "attributes {:#06x} of a record batch are not defined",
                header.attributes & kUndefinedBits);
  }
  if (header.record_count <= 0 || header.record_count - 1 != header.last_offset_delta) {
    return fail(ErrorCode::InvalidArgument, "{} records with last offset delta {}",
                header.record_count, header.last_offset_delta);
  }
  if (header.producer_id >= 0 && (header.producer_epoch < 0 || header.base_sequence < 0)) {
    return fail(ErrorCode::InvalidArgument, "producer id {} with epoch {} and sequence {}",
                header.producer_id, header.producer_epoch, header.base_sequence);
  }
  return header;
}

Result<std::string_view> batch_records(std::string_view batch, std::string& scratch,
                                       std::size_t bytes_max) {
  TRY(const auto header, read_batch_header(batch));
  return decompress(header.codec(), batch.substr(kBatchHeaderBytes), scratch, bytes_max);
}

void set_base_offset(std::span<char> batch, Offset offset) {
  store_be(batch.data(), offset);
}

void set_leader_epoch(std::span<char> batch, std::int32_t epoch) {
  store_be(batch.data() + kEpochAt, epoch);
}

void set_append_time(std::span<char> batch, std::int64_t unix_ms) {
  const auto attributes = load_be<std::int16_t>(batch.data() + kAttributesAt);
  store_be(batch.data() + kAttributesAt, static_cast<std::int16_t>(attributes | kAppendTimeBit));
  store_be(batch.data() + kMaxTimestampAt, unix_ms);
  const std::string_view bytes(batch.data(), batch.size());
  store_be(batch.data() + kCrcAt, crc32c(bytes.substr(kAttributesAt)));
}

std::optional<RecordHeaderView> RecordHeaders::next() {
  if (count_ <= 0) return std::nullopt;
  const char* at = bytes_.data();
  RecordHeaderView header;
  if (!read_header(at, bytes_.data() + bytes_.size(), header)) return std::nullopt;
  bytes_.remove_prefix(static_cast<std::size_t>(at - bytes_.data()));
  --count_;
  return header;
}

Result<bool> RecordReader::next(RecordView& into) {
  if (read_ == header_.record_count) {
    if (at_ == end_) return false;
    return fail(ErrorCode::InvalidArgument, "{} bytes follow the last record", end_ - at_);
  }
  std::int64_t size = 0;
  last_ = at_;
  if (!read_varint(at_, end_, size, 32) || size < 0 || size > end_ - at_ ||
      !read_record(at_, at_ + size, header_, into)) {
    return fail(ErrorCode::InvalidArgument, "record {} of the batch is malformed", read_);
  }
  at_ += size;
  ++read_;
  return true;
}

template <class List>
void BatchBuilder::add_record(std::int64_t unix_ms, std::optional<std::string_view> key,
                              std::optional<std::string_view> value, const List& headers) {
  if (record_count_ == 0) base_timestamp_ = max_timestamp_ = unix_ms;
  max_timestamp_ = std::max(max_timestamp_, unix_ms);

  const auto time_delta = unix_ms - base_timestamp_;
  std::size_t size = 1 + varint_size(time_delta) + varint_size(record_count_) + nullable_size(key) +
                     nullable_size(value) + varint_size(static_cast<std::int64_t>(headers.size()));
  for (const auto& [name, content] : headers) size += nullable_size(name) + nullable_size(content);

  // The record's size is known, so that it is written once and in place.
  const auto start = bytes();
  const auto total = start + varint_size(static_cast<std::int64_t>(size)) + size;
  out_.resize_and_overwrite(total, [&](char* out, std::size_t) {
    if (record_count_ == 0) std::memset(out, 0, kBatchHeaderBytes);
    char* at = put_varint(out + start, static_cast<std::int64_t>(size));
    *at++ = 0;  // attributes of a record: none are defined
    at = put_varint(at, time_delta);
    at = put_varint(at, record_count_);
    at = put_nullable(at, key);
    at = put_nullable(at, value);
    at = put_varint(at, static_cast<std::int64_t>(headers.size()));
    for (const auto& [name, content] : headers) {
      at = put_nullable(at, name);
      at = put_nullable(at, content);
    }
    return static_cast<std::size_t>(at - out);
  });
  ++record_count_;
}

void BatchBuilder::add(std::int64_t unix_ms, std::optional<std::string_view> key,
                       std::optional<std::string_view> value, Headers headers) {
  add_record(unix_ms, key, value, headers);
}

void BatchBuilder::add_borrowed(std::int64_t unix_ms, std::optional<std::string_view> key,
                                std::optional<std::string_view> value, BorrowedHeaders headers) {
  add_record(unix_ms, key, value, headers);
}

Result<std::string> BatchBuilder::finish() {
  if (record_count_ == 0) return fail(ErrorCode::InvalidArgument, "a batch needs a record");
  if (options_.codec != Codec::None) {
    std::string packed(kBatchHeaderBytes, '\0');
    CHECK(compress(options_.codec, std::string_view(out_).substr(kBatchHeaderBytes), packed));
    out_ = std::move(packed);
  }
  char* at = out_.data();
  store_be(at, std::int64_t{0});
  store_be(at + 8, static_cast<std::int32_t>(out_.size() - kBatchLengthEnd));
  store_be(at + kEpochAt, std::int32_t{-1});
  at[kMagicAt] = kBatchMagic;
  auto attributes = static_cast<std::int16_t>(options_.codec);
  if (options_.is_transactional) attributes |= kTransactionalBit;
  if (options_.is_control) attributes |= kControlBit;
  store_be(at + kAttributesAt, attributes);
  store_be(at + 23, record_count_ - 1);
  store_be(at + 27, base_timestamp_);
  store_be(at + kMaxTimestampAt, max_timestamp_);
  store_be(at + 43, options_.producer_id);
  store_be(at + 51, options_.producer_epoch);
  store_be(at + 53, options_.base_sequence);
  store_be(at + 57, record_count_);
  store_be(at + kCrcAt, crc32c(std::string_view(out_).substr(kAttributesAt)));
  record_count_ = 0;
  return std::exchange(out_, std::string());
}

Result<std::string> with_records(std::string_view batch, const KeptRecords& kept) {
  TRY(const auto header, read_batch_header(batch));
  std::string rebuilt(batch.substr(0, kBatchHeaderBytes));
  const bool is_empty = kept.count == 0;
  if (is_empty) {
    constexpr std::int16_t kCodecBits = 0x07;
    const int without_codec = header.attributes & ~kCodecBits;
    store_be(rebuilt.data() + kAttributesAt, static_cast<std::int16_t>(without_codec));
  } else if (header.codec() == Codec::None) {
    rebuilt += kept.bytes;
  } else {
    CHECK(compress(header.codec(), kept.bytes, rebuilt));
  }
  char* at = rebuilt.data();
  store_be(at + 8, static_cast<std::int32_t>(rebuilt.size() - kBatchLengthEnd));
  store_be(at + kMaxTimestampAt,
           header.has_append_time() || is_empty ? header.max_timestamp : kept.max_timestamp);
  store_be(at + 57, kept.count);
  store_be(at + kCrcAt, crc32c(std::string_view(rebuilt).substr(kAttributesAt)));
  return rebuilt;
}

std::string control_batch(ControlType type, std::int64_t producer_id, std::int16_t producer_epoch,
                          std::int64_t unix_ms) {
  constexpr std::int16_t kMarkerVersion = 0;
  constexpr std::int32_t kCoordinatorEpoch = 0;
  BatchOptions options;
  options.producer_id = producer_id;
  options.producer_epoch = producer_epoch;
  options.is_transactional = true;
  options.is_control = true;
  std::string key;
  append_be(key, kMarkerVersion);
  append_be(key, static_cast<std::int16_t>(type));
  std::string value;
  append_be(value, kMarkerVersion);
  append_be(value, kCoordinatorEpoch);
  BatchBuilder builder(options);
  builder.add(unix_ms, key, value);
  auto batch = builder.finish();
  ENSURE(batch.has_value(), "an uncompressed batch with a record can be built");
  return *std::move(batch);
}

Result<ControlType> control_type(std::string_view batch) {
  TRY(auto header, read_batch_header(batch));
  std::string scratch;
  TRY(auto records, batch_records(batch, scratch));
  RecordReader reader(header, records);
  RecordView record;
  TRY(bool any, reader.next(record));
  constexpr std::size_t kKeyBytes = 4;
  if (!any || !record.key || record.key->size() < kKeyBytes) {
    return fail(ErrorCode::InvalidArgument, "a control batch without a type");
  }
  auto type = load_be<std::int16_t>(record.key->data() + 2);
  if (type != static_cast<std::int16_t>(ControlType::Abort) &&
      type != static_cast<std::int16_t>(ControlType::Commit)) {
    return fail(ErrorCode::InvalidArgument, "a control batch of type {}", type);
  }
  return static_cast<ControlType>(type);
}

std::string empty_batch(std::int64_t first, std::int64_t end, std::int32_t leader_epoch) {
  constexpr std::size_t kCrcFrom = 21;
  auto last_delta =
      std::min<std::int64_t>(end - first - 1, std::numeric_limits<std::int32_t>::max());
  std::string batch;
  append_be(batch, first);
  append_be(batch, static_cast<std::int32_t>(kBatchHeaderBytes - kBatchLengthEnd));
  append_be(batch, leader_epoch);
  append_be(batch, std::int8_t{2});    // magic
  append_be(batch, std::uint32_t{0});  // checksum, below
  append_be(batch, std::int16_t{0});   // attributes
  append_be(batch, static_cast<std::int32_t>(last_delta));
  append_be(batch, std::int64_t{0});   // base timestamp
  append_be(batch, std::int64_t{0});   // greatest timestamp
  append_be(batch, std::int64_t{-1});  // producer id, epoch and sequence: none
  append_be(batch, std::int16_t{-1});
  append_be(batch, std::int32_t{-1});
  append_be(batch, std::int32_t{0});  // records
  store_be(batch.data() + kCrcFrom - sizeof(std::uint32_t),
           crc32c(std::string_view(batch).substr(kCrcFrom)));
  return batch;
}

}  // namespace weft::eventlog
