#include "eventlog/core/record_batch.h"

#include <gmock/gmock.h>

#include "base/bytes.h"

namespace weft::eventlog {
namespace {

using Header = std::pair<std::string, std::string>;

// What kafka-python 2.0.2 builds from three records; the second one is gzip.
constexpr std::string_view kForeignPlain =
    "000000000000000000000088000000000294d00bd90000000000020000018bcfe568000000018bcfe56805ffff"
    "ffffffffffffffffffffffff0000000328000000046b310a68656c6c6f0402680276026e0170000a020164776f"
    "726c64776f726c64776f726c64776f726c64776f726c64776f726c64776f726c64776f726c64776f726c64776f"
    "726c640010000604046b330100";
constexpr std::string_view kForeignGzip =
    "00000000000000000000007000000000024c3635de0001000000020000018bcfe568000000018bcfe56805ffff"
    "ffffffffffffffffffffffff000000031f8b0800ed6b016b02ffd360606060c936e4ca48cdc9c96761ca602a63"
    "ca632c60e062624c29cf2fca218d601060606361c93666640000c8e9422957000000";

std::string build(Codec codec, int records) {
  BatchOptions options;
  options.codec = codec;
  BatchBuilder builder(options);
  const std::vector<Header> headers{{"h", "v"}, {"h", ""}};
  for (int i = 0; i < records; ++i) {
    builder.add(1'700'000'000'000 + i, "key " + std::to_string(i), "value " + std::to_string(i),
                headers);
  }
  return builder.finish().value();
}

// All records' keys; "∅" for a null one; the error's message at the end when there is one.
std::vector<std::string> keys(std::string_view batch) {
  std::vector<std::string> found;
  std::string scratch;
  const auto records = batch_records(batch, scratch);
  if (!records) return {records.error().message};
  RecordReader reader(read_batch_header(batch).value(), *records);
  RecordView record;
  while (true) {
    const auto more = reader.next(record);
    if (!more) found.push_back(more.error().message);
    if (!more || !*more) return found;
    found.emplace_back(record.key.value_or("∅"));
  }
}

void sign(std::string& batch) {
  store_be(batch.data() + 17, crc32c(std::string_view(batch).substr(21)));
}

TEST(RecordBatch, ReadsWhatAForeignClientBuilt) {
  for (const auto hex : {kForeignPlain, kForeignGzip}) {
    const auto batch = from_hex(hex).value();

    const auto header = check_batch(batch);

    ASSERT_TRUE(header) << header.error().message;
    EXPECT_EQ(header->record_count, 3);
    EXPECT_EQ(header->last_offset(), 2);
    EXPECT_EQ(header->max_timestamp, 1'700'000'000'005);
    EXPECT_EQ(header->producer_id, -1);
    std::string scratch;
    RecordReader reader(*header, batch_records(batch, scratch).value());
    RecordView record;
    ASSERT_TRUE(reader.next(record).value());
    EXPECT_EQ(record.key, "k1");
    EXPECT_EQ(record.value, "hello");
    ASSERT_EQ(record.headers.size(), 2);
    const auto first = record.headers.next();
    EXPECT_EQ(first->name, "h");
    EXPECT_EQ(first->value, "v");
    EXPECT_EQ(record.headers.next()->value, std::nullopt);
    EXPECT_FALSE(record.headers.next());
    ASSERT_TRUE(reader.next(record).value());
    EXPECT_EQ(record.key, std::nullopt);
    EXPECT_EQ(record.timestamp, 1'700'000'000'005);
    ASSERT_TRUE(reader.next(record).value());
    EXPECT_EQ(record.value, std::nullopt);
    EXPECT_EQ(record.offset, 2);
    EXPECT_FALSE(reader.next(record).value());
  }
}

TEST(RecordBatch, BuildsByteForByteWhatAForeignClientBuilds) {
  // A null header value cannot be given to the builder, so the comparison leaves the headers out.
  BatchBuilder builder;
  builder.add(1'700'000'000'000, "k1", "hello");
  builder.add(1'700'000'000'005, std::nullopt, "world");
  auto batch = builder.finish().value();
  set_leader_epoch(batch, 0);

  EXPECT_EQ(to_hex(batch),
            "00000000000000000000004b00000000023a62f5300000000000010000018bcfe568000000018bcfe56805"
            "ffffffffffffffffffffffffffff000000021a000000046b310a68656c6c6f0016000a02010a776f726c64"
            "00");
  EXPECT_TRUE(verify_batch_checksum(batch));
}

TEST(RecordBatch, RoundTripsThroughEveryCodec) {
  for (const auto codec : {Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd}) {
    const auto batch = build(codec, 3);
    ASSERT_TRUE(check_batch(batch)) << name(codec);
    EXPECT_EQ(check_batch(batch)->codec(), codec);
    EXPECT_THAT(keys(batch), testing::ElementsAre("key 0", "key 1", "key 2")) << name(codec);
  }
}

TEST(RecordBatch, PlaceIsSetWithoutTouchingTheChecksum) {
  auto batch = build(Codec::None, 2);

  set_base_offset(batch, 4711);
  set_leader_epoch(batch, 9);

  const auto header = check_batch(batch);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->base_offset, 4711);
  EXPECT_EQ(header->next_offset(), 4713);
  EXPECT_EQ(header->leader_epoch, 9);
}

TEST(RecordBatch, AppendTimeReplacesTheRecordsTimes) {
  auto batch = build(Codec::None, 2);

  set_append_time(batch, 42);

  ASSERT_TRUE(verify_batch_checksum(batch));
  const auto header = read_batch_header(batch).value();
  EXPECT_TRUE(header.has_append_time());
  std::string scratch;
  RecordReader reader(header, batch_records(batch, scratch).value());
  RecordView record;
  ASSERT_TRUE(reader.next(record).value());
  EXPECT_EQ(record.timestamp, 42);
}

TEST(RecordBatch, ChecksumFindsEveryFlippedBitThatItCovers) {
  const auto batch = build(Codec::None, 1);
  for (std::size_t at = 17; at < batch.size(); ++at) {
    auto damaged = batch;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    const auto checked = check_batch(damaged);
    ASSERT_FALSE(checked) << at;
    EXPECT_EQ(checked.error().code, ErrorCode::DataLoss) << at;
  }
}

TEST(RecordBatch, EveryTruncationIsFound) {
  const auto batch = build(Codec::None, 2);
  for (std::size_t size = 0; size < batch.size(); ++size) {
    EXPECT_FALSE(check_batch(batch.substr(0, size))) << size;
  }
}

TEST(RecordBatch, RefusesWhatAClientMayNotSend) {
  const auto refused = [](auto change) {
    auto batch = build(Codec::None, 2);
    change(batch);
    sign(batch);
    const auto checked = check_batch(batch);
    return checked ? std::string("accepted") : checked.error().message;
  };
  using testing::HasSubstr;
  EXPECT_THAT(refused([](std::string& b) { b[22] = 0x20; }), HasSubstr("control"));
  EXPECT_THAT(refused([](std::string& b) { b[22] = 0x08; }), HasSubstr("append time"));
  EXPECT_THAT(refused([](std::string& b) { b[22] = 0x05; }), HasSubstr("codec 5"));
  EXPECT_THAT(refused([](std::string& b) { b[21] = '\x80'; }), HasSubstr("attributes 0x8000"));
  EXPECT_THAT(refused([](std::string& b) { b[26] = 7; }), HasSubstr("last offset delta 7"));
  EXPECT_THAT(refused([](std::string& b) { store_be(b.data() + 57, 0); }), HasSubstr("0 records"));
  EXPECT_THAT(refused([](std::string& b) { store_be(b.data() + 43, std::int64_t{5}); }),
              HasSubstr("producer id 5"));
  EXPECT_THAT(refused([](std::string& b) { b[16] = 1; }), HasSubstr("magic 1"));
  EXPECT_THAT(refused([](std::string& b) { b += "x"; }), HasSubstr("more than one"));
}

TEST(RecordReader, RefusesRecordsThatDoNotFillTheirLength) {
  const auto after = [](auto change) {
    auto batch = build(Codec::None, 1);
    change(batch);
    return keys(batch).back();
  };
  using testing::HasSubstr;
  EXPECT_THAT(after([](std::string& b) { b[kBatchHeaderBytes] = 2; }), HasSubstr("malformed"));
  EXPECT_THAT(after([](std::string& b) { b[kBatchHeaderBytes] = '\xff'; }), HasSubstr("malformed"));
  EXPECT_THAT(after([](std::string& b) { b += "tail"; }), HasSubstr("4 bytes follow"));
  EXPECT_THAT(after([](std::string& b) { b.resize(b.size() - 1); }), HasSubstr("malformed"));
  EXPECT_THAT(after([](std::string& b) { store_be(b.data() + 57, 2); }), HasSubstr("malformed"));
}

TEST(BatchBuilder, IsEmptyAgainAfterABatch) {
  BatchBuilder builder;
  EXPECT_FALSE(builder.finish());
  builder.add(1, "a", std::nullopt);
  ASSERT_TRUE(builder.finish());
  EXPECT_EQ(builder.record_count(), 0);
  builder.add(2, "b", std::nullopt);
  EXPECT_THAT(keys(builder.finish().value()), testing::ElementsAre("b"));
}

TEST(BatchBuilder, WritesBorrowedHeadersAsItWritesOwnedOnes) {
  const std::vector<std::pair<std::string, std::string>> owned = {{"ce_id", "A-1"}, {"empty", ""}};
  const std::vector<std::pair<std::string_view, std::string_view>> borrowed(owned.begin(),
                                                                            owned.end());
  BatchBuilder first;
  BatchBuilder second;
  const std::string large(300, 'v');  // two bytes of length

  first.add(1000, "k", large, owned);
  first.add(900, std::nullopt, std::nullopt, {});
  second.add_borrowed(1000, "k", large, borrowed);
  second.add_borrowed(900, std::nullopt, std::nullopt, {});

  EXPECT_EQ(second.bytes(), first.bytes());
  EXPECT_EQ(to_hex(second.finish().value()), to_hex(first.finish().value()));
}

TEST(BatchBuilder, KeepsTimesThatRunBackwards) {
  BatchBuilder builder;
  builder.add(1000, std::nullopt, "a");
  builder.add(400, std::nullopt, "b");
  const auto batch = builder.finish().value();

  const auto header = check_batch(batch).value();
  EXPECT_EQ(header.max_timestamp, 1000);
  std::string scratch;
  RecordReader reader(header, batch_records(batch, scratch).value());
  RecordView record;
  ASSERT_TRUE(reader.next(record).value());
  ASSERT_TRUE(reader.next(record).value());
  EXPECT_EQ(record.timestamp, 400);
}

TEST(EmptyBatch, IsWellFormedAndSpansTheHole) {
  auto batch = empty_batch(17, 20, 3);

  auto header = read_batch_header(batch);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(batch.size(), kBatchHeaderBytes);
  EXPECT_EQ(header->base_offset, 17);
  EXPECT_EQ(header->last_offset_delta, 2);
  EXPECT_EQ(header->record_count, 0);
  EXPECT_EQ(header->crc, crc32c(std::string_view(batch).substr(21)));
}

}  // namespace
}  // namespace weft::eventlog
