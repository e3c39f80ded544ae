// What the log writes, byte for byte against docs/formats/golden/ (base/golden_file.h).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/golden_file.h"
#include "eventlog/core/log_commands.h"
#include "eventlog/core/log_manifest.h"
#include "eventlog/core/log_segment_format.h"
#include "eventlog/core/log_wal_format.h"
#include "eventlog/core/record_batch.h"
#include "eventlog/kafka/groups/offset_records.h"
#include "eventlog/kafka/state_record.h"
#include "eventlog/kafka/transactions/transaction_records.h"

namespace weft::eventlog {
namespace {

using testing::SizeIs;

constexpr std::int64_t kMoment = 1'764'316'800'123;
const PartitionId kPartition{StreamId{7}, 2};

Uuid cluster() {
  return Uuid::v4(0x0123456789abcdef, 0xfedcba9876543210);
}

StreamInfo stream() {
  StreamInfo info;
  info.id = StreamId{7};
  info.topic_id = Uuid::v4(1, 2);
  info.created = from_unix_ms(kMoment);
  info.settings.name = "shop.order.placed.v1";
  info.settings.partitions = 3;
  info.settings.retention_bytes = 1 << 20;
  return info;
}

std::string batch() {
  BatchBuilder builder(BatchOptions{});
  builder.add(kMoment, "key", "value");
  return builder.finish().value();
}

Extent extent() {
  ExtentBuilder builder(kPartition, 5, kSegmentHeaderBytes, 100);
  builder.add(10, 12, kMoment, 100);
  return builder.finish();
}

Manifest manifest() {
  Manifest held;
  held.cluster = cluster();
  held.wal_sequence = 4;
  held.wal_position = 8192;
  held.state_position = 9000;
  held.epoch = 3;
  held.leader_epoch = 1;
  held.next_stream = 8;
  held.producer_ids_reserved = 2001;
  held.next_segment = 6;
  held.segments = {5};
  held.streams = {stream()};
  held.partitions.push_back({kPartition, 10, 13, {{0, 0}, {1, 12}}, {}, {}, 0});
  return held;
}

TEST(WalFormat, IsWhatWasCommitted) {
  WalFileHeader header;
  header.cluster = cluster();
  header.sequence = 4;
  header.first_position = 8192;
  header.previous_end = 8000;
  header.epoch = 3;
  header.leader_epoch = 1;
  header.created_ms = kMoment;
  WalGroup group;
  group.start(8192, 3);
  group.begin_entry(WalKind::Batches);
  group.add_batch(kPartition, batch());
  group.end_entry();
  group.begin_entry(WalKind::Marker);
  group.add_payload(encode_time_mark(kMoment));
  group.end_entry();
  auto encoded = encode_wal_header(header).substr(0, 100);
  for (auto part : group.parts()) encoded += part;

  auto golden = golden_file_or_new("wal-1.hex", encoded);

  ASSERT_EQ(golden, encoded);
  auto entries = std::string_view(golden).substr(100);
  auto read = decode_wal_header(golden.substr(0, 100));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->previous_end, 8000u);
  auto entry = read_wal_entry(entries, 8192, 3);
  ASSERT_TRUE(entry);
  auto items = read_wal_items(*entry);
  ASSERT_TRUE(items);
  ASSERT_THAT(*items, SizeIs(1));
  EXPECT_EQ(items->at(0).batch, batch());
  auto mark = read_wal_entry(entries.substr(entry->bytes), 8192 + entry->bytes, 3);
  ASSERT_TRUE(mark);
  EXPECT_EQ(read_time_mark(*mark), kMoment);
}

TEST(WalCommands, AreWhatWasCommitted) {
  std::vector<LogCommand> commands{StreamCreated{stream()},
                                   StreamAltered{StreamId{7}, stream().settings},
                                   StreamDeleted{StreamId{7}},
                                   ProducerIdsReserved{2001},
                                   StartMoved{kPartition, 10},
                                   OffsetsSkipped{kPartition, 13},
                                   StreamRetired{StreamId{7}, from_unix_ms(kMoment)}};
  std::string encoded;
  for (const auto& command : commands) {
    auto bytes = encode_command(command);
    append_be(encoded, static_cast<std::uint32_t>(bytes.size()));
    encoded += bytes;
  }

  auto golden = golden_file_or_new("wal-commands-1.hex", encoded);

  ASSERT_EQ(golden, encoded);
  FieldReader fields(golden);
  for (const auto& command : commands) {
    auto bytes = fields.text();
    auto read = decode_command(bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->index(), command.index());
    EXPECT_EQ(encode_command(*read), bytes);
  }
  EXPECT_TRUE(fields.rest().empty());
}

TEST(ManifestFormat, IsWhatWasCommitted) {
  auto held = manifest();
  held.streams[0].retired = from_unix_ms(kMoment);
  held.partitions[0].transactions.restore({{1001, {3, 12}}}, {{1002, 10, 11}});
  held.partitions[0].cleaned = CleanMarks({{12, kMoment}});
  held.partitions[0].first_segment = 4;

  auto golden = golden_file_or_new("manifest-3.hex", encode_manifest(held));

  ASSERT_EQ(golden, encode_manifest(held));
  auto read = decode_manifest(golden);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(encode_manifest(*read), golden);
}

// Before there were transactions.
TEST(ManifestFormat, TwoIsStillRead) {
  auto held = manifest();
  held.streams[0].retired = from_unix_ms(kMoment);

  auto read = decode_manifest(golden_file("manifest-2.hex"));

  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(encode_manifest(*read), encode_manifest(held));
}

// Written by a program of that time: 0.1.0 before streams could be retired.
TEST(ManifestFormat, OneIsStillRead) {
  auto read = decode_manifest(golden_file("manifest-1.hex"));

  ASSERT_TRUE(read) << read.error().message;
  ASSERT_FALSE(read->streams.empty());
  for (const auto& each : read->streams) EXPECT_FALSE(each.retired);
  EXPECT_THAT(read->segments, SizeIs(2));
  EXPECT_EQ(decode_manifest(encode_manifest(*read))->partitions, read->partitions);
}

TEST(SegmentFormat, IsWhatWasCommitted) {
  auto encoded = encode_segment_header(5, cluster());
  auto footer = encode_segment_footer({extent()}, 164);
  encoded += footer;

  auto golden = golden_file_or_new("segment-1.hex", encoded);

  ASSERT_EQ(golden, encoded);
  auto trailer = decode_segment_trailer(golden.substr(golden.size() - kSegmentTrailerBytes));
  ASSERT_TRUE(trailer);
  EXPECT_EQ(trailer->footer_at, 164u);
  auto extents =
      decode_segment_footer(golden.substr(kSegmentHeaderBytes, trailer->footer_bytes), 5);
  ASSERT_TRUE(extents) << extents.error().message;
  EXPECT_THAT(*extents, testing::ElementsAre(extent()));
}

TEST(GroupOffsetFormat, IsWhatWasCommitted) {
  kafka::OffsetRecordKey key{"default", "billing", Uuid::v4(1, 2), 2};
  kafka::OffsetRecordValue value{13, 1, "note", kMoment};

  EXPECT_EQ(golden_file_or_new("group-offset-key.hex", encode(key)), encode(key));
  EXPECT_EQ(golden_file_or_new("group-offset-value.hex", encode(value)), encode(value));
  EXPECT_EQ(kafka::decode_offset_key(golden_file("group-offset-key.hex"))->group, "billing");
  EXPECT_EQ(kafka::decode_offset_value(golden_file("group-offset-value.hex"))->offset, 13);
}

TEST(TransactionFormat, IsWhatWasCommitted) {
  kafka::TransactionRecordKey key{1, "default", "billing-1"};
  kafka::ProducerRecord producer{1001, 3, 60'000};
  kafka::PendingOffsetsRecord pending{1001, 3, {{"billing", Uuid::v4(1, 2), 2, 13, 1, "note"}}};
  auto encoded_key = kafka::encode_state_record(key);
  auto encoded_producer = kafka::encode_state_record(producer);
  auto encoded_pending = kafka::encode_state_record(pending);

  EXPECT_EQ(golden_file_or_new("transaction-key.hex", encoded_key), encoded_key);
  EXPECT_EQ(golden_file_or_new("transaction-producer.hex", encoded_producer), encoded_producer);
  EXPECT_EQ(golden_file_or_new("transaction-pending.hex", encoded_pending), encoded_pending);
  auto read = kafka::decode_state_record<kafka::PendingOffsetsRecord>(encoded_pending);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->offsets.at(0).offset, 13);
}

}  // namespace
}  // namespace weft::eventlog
