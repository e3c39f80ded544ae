// The pure parts of the log: formats, sequences, partitioner.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventlog/core/log_commands.h"
#include "eventlog/core/log_manifest.h"
#include "eventlog/core/log_producers.h"
#include "eventlog/core/log_segment_format.h"
#include "eventlog/core/log_wal_format.h"
#include "eventlog/event_log.h"

namespace weft::eventlog {
namespace {

constexpr WalPosition kPosition = 8192;
const PartitionId kPartition{StreamId(3), 1};

std::string written(WalGroup& group) {
  std::string bytes;
  for (auto part : group.parts()) bytes += part;
  return bytes;
}

std::string group_with(const std::vector<std::string>& batches, std::uint32_t epoch = 5) {
  WalGroup group;
  group.start(kPosition, epoch);
  for (const auto& batch : batches) {
    group.begin_entry(WalKind::Batches);
    group.add_batch(kPartition, batch);
    group.end_entry();
  }
  return written(group);
}

TEST(WalEntry, IsReadBackAsItWasWritten) {
  auto bytes = group_with({"first", "second"});

  auto first = read_wal_entry(bytes, kPosition, 5);
  ASSERT_TRUE(first.has_value());
  auto second =
      read_wal_entry(std::string_view(bytes).substr(first->bytes), kPosition + first->bytes, 5);
  ASSERT_TRUE(second.has_value());

  EXPECT_EQ(read_wal_items(*first)->at(0).batch, "first");
  EXPECT_EQ(read_wal_items(*second)->at(0).batch, "second");
  EXPECT_EQ(read_wal_items(*second)->at(0).partition, kPartition);
  EXPECT_EQ(first->durable, kPosition);
  EXPECT_EQ(second->durable, kPosition);
  EXPECT_EQ(first->bytes + second->bytes, bytes.size());
}

TEST(WalEntry, GivesThePositionOfEachBatch) {
  WalGroup group;
  group.start(kPosition, 5);
  std::string large(WalGroup::kCopyBelow + 3, 'x');
  group.begin_entry(WalKind::Batches);
  auto small_at = group.add_batch(kPartition, "small");
  auto large_at = group.add_batch(kPartition, large);
  group.end_entry();
  auto bytes = written(group);

  EXPECT_EQ(std::string_view(bytes).substr(small_at - kPosition, 5), "small");
  EXPECT_EQ(std::string_view(bytes).substr(large_at - kPosition, large.size()), large);
  auto entry = read_wal_entry(bytes, kPosition, 5);
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(read_wal_items(*entry)->at(1).position, large_at);
}

TEST(WalEntry, IsRefusedWhenAnyBitIsFlipped) {
  const auto bytes = group_with({"payload"});
  auto used = kWalEntryHeaderBytes + kWalItemHeaderBytes + 7;

  for (std::size_t i = 0; i < used * 8; ++i) {
    auto damaged = bytes;
    damaged[i / 8] = static_cast<char>(damaged[i / 8] ^ (1 << (i % 8)));
    EXPECT_FALSE(read_wal_entry(damaged, kPosition, 5).has_value()) << "bit " << i;
  }
}

TEST(WalEntry, IsRefusedWhenItIsCutShort) {
  const auto bytes = group_with({"payload"});

  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(read_wal_entry(std::string_view(bytes).substr(0, size), kPosition, 5).has_value());
  }
}

TEST(WalEntry, IsRefusedAtAnotherPlaceOrOfAnOlderProcess) {
  auto bytes = group_with({"payload"}, 5);

  EXPECT_FALSE(read_wal_entry(bytes, kPosition + 8, 5).has_value());
  EXPECT_FALSE(read_wal_entry(bytes, kPosition, 6).has_value());
}

TEST(WalGroup, ForgetsADroppedEntry) {
  WalGroup group;
  group.start(kPosition, 5);
  group.begin_entry(WalKind::Batches);
  group.add_batch(kPartition, "kept");
  group.end_entry();
  std::string large(WalGroup::kCopyBelow, 'x');
  group.begin_entry(WalKind::Batches);
  group.add_batch(kPartition, large);
  group.drop_entry();
  group.begin_entry(WalKind::Batches);
  group.add_batch(kPartition, "next");
  group.end_entry();

  EXPECT_EQ(written(group), group_with({"kept", "next"}));
}

TEST(WalHeader, IsReadBackAndRefusedWhenDamagedOrNewer) {
  WalFileHeader header;
  header.sequence = 7;
  header.first_position = kPosition;
  header.epoch = 3;
  header.leader_epoch = 2;
  header.state = WalFileState::Prepared;
  auto bytes = encode_wal_header(header);

  auto read = decode_wal_header(bytes);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(bytes.size(), kWalHeaderBytes);
  EXPECT_EQ(read->first_position, kPosition);
  EXPECT_EQ(read->state, WalFileState::Prepared);
  auto damaged = bytes;
  damaged[20] ^= 1;
  EXPECT_EQ(decode_wal_header(damaged).error().code, ErrorCode::DataLoss);
  EXPECT_EQ(decode_wal_header(std::string(kWalHeaderBytes, '\0')).error().code,
            ErrorCode::DataLoss);
  auto newer = bytes;
  newer[11] = 2;
  store_be(newer.data() + 96, crc32c(std::string_view(newer).substr(0, 96)));
  EXPECT_EQ(decode_wal_header(newer).error().code, ErrorCode::FailedPrecondition);
}

TEST(LogCommand, IsReadBackAsItWasWritten) {
  StreamInfo stream;
  stream.id = StreamId(9);
  stream.topic_id = Uuid::v4(1, 2);
  stream.created = from_unix_ms(1234);
  stream.settings.name = "orders";
  stream.settings.partitions = 12;
  stream.settings.durability = Durability::Memory;

  auto created = decode_command(encode_command(StreamCreated{stream}));
  auto moved = decode_command(encode_command(StartMoved{kPartition, 77}));

  ASSERT_TRUE(created.has_value());
  EXPECT_EQ(std::get<StreamCreated>(*created).stream.settings, stream.settings);
  EXPECT_EQ(std::get<StreamCreated>(*created).stream.topic_id, stream.topic_id);
  EXPECT_EQ(std::get<StartMoved>(*moved).start, 77);
  for (const auto& since : {std::optional<WallTime>(from_unix_ms(5)), std::optional<WallTime>()}) {
    auto retired = decode_command(encode_command(StreamRetired{StreamId(9), since}));
    EXPECT_EQ(std::get<StreamRetired>(retired.value()).since, since);
  }
  EXPECT_EQ(decode_command("\x63").error().code, ErrorCode::FailedPrecondition);
  EXPECT_EQ(decode_command(encode_command(StreamDeleted{StreamId(1)}).substr(0, 3)).error().code,
            ErrorCode::DataLoss);
}

TEST(Segment, FooterIsReadBackAndRefusedWhenDamaged) {
  ExtentBuilder builder(kPartition, 4, 64, 1000);
  builder.add(10, 12, 500, 300);
  builder.add(13, 13, 400, 70'000);
  builder.add(20, 24, 600, 100);
  std::vector<Extent> extents{builder.finish()};
  auto bytes = encode_segment_footer(extents, 70'464);

  auto trailer =
      decode_segment_trailer(std::string_view(bytes).substr(bytes.size() - kSegmentTrailerBytes));
  ASSERT_TRUE(trailer.has_value());
  EXPECT_EQ(trailer->footer_at, 70'464u);
  auto footer = bytes.substr(0, trailer->footer_bytes);
  EXPECT_EQ(*decode_segment_footer(footer, 4), extents);
  footer[9] ^= 1;
  EXPECT_EQ(decode_segment_footer(footer, 4).error().code, ErrorCode::DataLoss);
}

TEST(Segment, IndexPointsLeadToTheBatchBeforeAnOffset) {
  ExtentBuilder builder(kPartition, 4, 64, 1000);
  builder.add(10, 12, 500, 40'000);
  builder.add(13, 13, 400, 40'000);
  builder.add(20, 24, 600, 40'000);
  auto extent = builder.finish();

  EXPECT_EQ(extent.points.size(), 2u);
  EXPECT_EQ(extent.point_before(13).at, 0u);
  EXPECT_EQ(extent.point_before(22).at, 80'000u);
  EXPECT_EQ(extent.first, 10);
  EXPECT_EQ(extent.end, 25);
  EXPECT_EQ(extent.max_timestamp, 600);
}

TEST(Manifest, IsReadBackAndRefusedWhenDamaged) {
  Manifest manifest;
  manifest.cluster = Uuid::v4(3, 4);
  manifest.wal_sequence = 8;
  manifest.segments = {1, 5};
  TransactionIndex transactions;
  transactions.restore({{77, {1, 7}}, {78, {0, 8}}}, {{79, 5, 6}});
  manifest.partitions.push_back(
      {kPartition, 5, 9, {{0, 0}, {2, 7}}, transactions, CleanMarks({{6, 1}, {7, 2}}), 5});
  ProducerState state;
  state.epoch = 1;
  state.count = 1;
  state.batches[0] = {4, 6, 100};
  manifest.producers.push_back({kPartition, 77, state});
  auto bytes = encode_manifest(manifest);

  auto read = decode_manifest(bytes);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->cluster, manifest.cluster);
  EXPECT_EQ(read->segments, manifest.segments);
  EXPECT_EQ(read->partitions, manifest.partitions);
  EXPECT_EQ(read->producers, manifest.producers);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] ^= 4;
    EXPECT_FALSE(decode_manifest(damaged).has_value()) << "byte " << i;
  }
}

TEST(Manifest, OfTheFirstFormatIsReadAsOneWithoutRetiredStreams) {
  Manifest manifest;
  StreamInfo stream;
  stream.id = StreamId(3);
  stream.settings.name = "orders";
  stream.retired = from_unix_ms(99);
  manifest.streams.push_back(stream);
  auto bytes = encode_manifest(manifest);
  std::string record;
  FieldWriter fields(record);
  write_stream(fields, stream);
  auto first = bytes;
  first[11] = 1;
  first.erase(first.find(record) + record.size(), 8);
  first.resize(first.size() - 4);
  append_be(first, crc32c(first));

  auto now = decode_manifest(bytes);
  auto before = decode_manifest(first);

  EXPECT_EQ(now.value().streams.at(0).retired, from_unix_ms(99));
  ASSERT_TRUE(before) << before.error().message;
  EXPECT_EQ(before->streams.at(0).settings, stream.settings);
  EXPECT_FALSE(before->streams.at(0).retired);
}

BatchHeader sequenced_header(std::int16_t epoch, std::int32_t sequence, std::int32_t count,
                             Offset base) {
  BatchHeader header;
  header.producer_id = 7;
  header.producer_epoch = epoch;
  header.base_sequence = sequence;
  header.record_count = count;
  header.last_offset_delta = count - 1;
  header.base_offset = base;
  return header;
}

TEST(ProducerStates, AcceptAnyStartOfAnUnknownProducer) {
  ProducerStates producers;

  EXPECT_EQ(producers.check(sequenced_header(3, 42, 1, 0)).kind, SequenceVerdict::Accept);
}

TEST(ProducerStates, KnowTheLastFiveBatches) {
  ProducerStates producers;
  for (int i = 0; i < 6; ++i) producers.record(sequenced_header(0, i, 1, 100 + i), 0);

  EXPECT_EQ(producers.check(sequenced_header(0, 0, 1, 0)).kind, SequenceVerdict::OutOfOrder);
  EXPECT_EQ(producers.check(sequenced_header(0, 1, 1, 0)).kind, SequenceVerdict::Duplicate);
  EXPECT_EQ(producers.check(sequenced_header(0, 1, 1, 0)).original, 101);
  EXPECT_EQ(producers.check(sequenced_header(0, 6, 1, 0)).kind, SequenceVerdict::Accept);
  EXPECT_EQ(producers.check(sequenced_header(0, 8, 1, 0)).kind, SequenceVerdict::OutOfOrder);
}

TEST(ProducerStates, StartANewEpochAtZeroAndFenceTheOldOne) {
  ProducerStates producers;
  producers.record(sequenced_header(1, 0, 3, 0), 0);

  EXPECT_EQ(producers.check(sequenced_header(2, 3, 1, 0)).kind, SequenceVerdict::OutOfOrder);
  EXPECT_EQ(producers.check(sequenced_header(2, 0, 1, 0)).kind, SequenceVerdict::Accept);
  EXPECT_EQ(producers.check(sequenced_header(0, 3, 1, 0)).kind, SequenceVerdict::StaleEpoch);
}

TEST(ProducerStates, TakeNothingForARepetitionOfAnEndedTransaction) {
  ProducerStates producers;
  producers.record(sequenced_header(0, 0, 2, 100), 0);
  auto marker = sequenced_header(0, -1, 1, 102);
  marker.attributes = kControlBit | kTransactionalBit;
  EXPECT_EQ(producers.check(sequenced_header(0, 0, 2, 0)).kind, SequenceVerdict::Duplicate);
  producers.record(marker, 0);

  EXPECT_EQ(producers.check(sequenced_header(0, 0, 2, 0)).kind, SequenceVerdict::OutOfOrder);
  EXPECT_EQ(producers.check(sequenced_header(0, 2, 1, 0)).kind, SequenceVerdict::Accept);
  // Recovery may meet what the manifest knew already.
  producers.record(sequenced_header(0, 0, 2, 100), 0);
  EXPECT_EQ(producers.check(sequenced_header(0, 0, 2, 0)).kind, SequenceVerdict::OutOfOrder);
  producers.record(sequenced_header(0, 2, 1, 103), 0);
  EXPECT_EQ(producers.check(sequenced_header(0, 2, 1, 0)).kind, SequenceVerdict::Duplicate);
}

TEST(ProducerStates, WrapTheSequenceAtItsEnd) {
  constexpr auto kLast = std::numeric_limits<std::int32_t>::max();
  ProducerStates producers;
  producers.record(sequenced_header(0, kLast - 1, 3, 0), 0);  // kLast - 1, kLast, 0

  EXPECT_EQ(producers.check(sequenced_header(0, 1, 1, 0)).kind, SequenceVerdict::Accept);
  EXPECT_EQ(advance_sequence(kLast, 1), 0);
}

TEST(ProducerStates, ForgetWhoIsSilentTooLong) {
  ProducerStates producers;
  producers.record(sequenced_header(0, 0, 1, 0), 1000);

  EXPECT_EQ(producers.expire(1000), 0u);
  EXPECT_EQ(producers.expire(1001), 1u);
  EXPECT_EQ(producers.check(sequenced_header(0, 99, 1, 0)).kind, SequenceVerdict::Accept);
}

// The values of org.apache.kafka.common.utils.UtilsTest.testMurmur2, as partitions of 2^31 - 1 …
// the partition is the positive hash modulo the count.
TEST(Partitioner, HashesAsKafkasJavaClient) {
  auto positive = [](std::int32_t hash) { return hash & 0x7fffffff; };
  constexpr std::int32_t kMany = 1'000'003;

  EXPECT_EQ(partition_of_key("21", kMany), positive(-973932308) % kMany);
  EXPECT_EQ(partition_of_key("foobar", kMany), positive(-790332482) % kMany);
  EXPECT_EQ(partition_of_key("a-little-bit-long-string", kMany), positive(-985981536) % kMany);
  EXPECT_EQ(partition_of_key("a-little-bit-longer-string", kMany), positive(-1486304829) % kMany);
  EXPECT_EQ(partition_of_key("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", kMany),
            positive(-58897971) % kMany);
  EXPECT_EQ(partition_of_key("abc", kMany), positive(479470107) % kMany);
}

}  // namespace
}  // namespace weft::eventlog
