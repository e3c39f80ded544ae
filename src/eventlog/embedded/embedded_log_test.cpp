#include "eventlog/embedded/embedded_log.h"

#include <array>

#include "eventlog/embedded/log_test_bench.h"

namespace weft::eventlog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class EmbeddedLogTest : public ::testing::Test {
 protected:
  EmbeddedLogTest() : node(folder.path() + "/log") {
    node.options.wal_file_bytes = 256 * 1024;
    auto opened = node.open();
    EXPECT_TRUE(opened.has_value()) << opened.error().message;
  }

  TemporaryFolder folder;
  LogOnDisk node;
};

TEST_F(EmbeddedLogTest, GivesOffsetsInOrderAndReadsThemBack) {
  auto stream = node.create("orders");

  EXPECT_EQ(node.append(stream, "a"), 0);
  EXPECT_EQ(node.append(stream, "b"), 1);

  EXPECT_THAT(node.values({stream, 0}), ElementsAre("a", "b"));
}

TEST_F(EmbeddedLogTest, KeepsRecordsAndStreamsOverARestart) {
  auto stream = node.create("orders");
  auto info = *node.log->stream(stream);
  node.append(stream, "a");
  node.append(stream, "b");

  node.reopen();
  node.append(stream, "c");
  node.reopen();

  EXPECT_THAT(node.values({stream, 0}), ElementsAre("a", "b", "c"));
  EXPECT_EQ(node.log->find_stream("default", "orders")->topic_id, info.topic_id);
  EXPECT_EQ(node.log->find_stream("default", "orders")->created, info.created);
}

TEST_F(EmbeddedLogTest, ReadsFromTheMiddleOfABatch) {
  auto stream = node.create("orders");
  node.append({stream, 0}, batch_of({"a", "b", "c"}));

  EXPECT_THAT(node.values({stream, 0}, 1), ElementsAre("b", "c"));
}

TEST_F(EmbeddedLogTest, RefusesOffsetsOutsideOfThePartition) {
  auto stream = node.create("orders");
  node.append(stream, "a");
  ReadRequest request;
  request.partition = {stream, 0};
  request.from = 2;

  EXPECT_EQ(node.run(node.log->read(request)).error().code, ErrorCode::OutOfRange);
}

TEST_F(EmbeddedLogTest, AnswersADuplicateWithTheOriginalOffsetAlsoAfterARestart) {
  auto stream = node.create("orders");
  PartitionId partition{stream, 0};
  node.append(partition, sequenced(7, 0, 0, {"a", "b"}));
  node.append(partition, sequenced(7, 0, 2, {"c"}));

  auto again = node.append(partition, sequenced(7, 0, 2, {"c"}));
  node.reopen();
  auto later = node.append(partition, sequenced(7, 0, 0, {"a", "b"}));

  EXPECT_EQ(again.status, AppendStatus::Duplicate);
  EXPECT_EQ(again.base_offset, 2);
  EXPECT_EQ(later.status, AppendStatus::Duplicate);
  EXPECT_EQ(later.base_offset, 0);
  EXPECT_THAT(node.values(partition), ElementsAre("a", "b", "c"));
}

TEST_F(EmbeddedLogTest, AnswersADuplicateOfTheSameGroup) {
  auto stream = node.create("orders");
  PartitionId partition{stream, 0};
  std::vector<BatchToAppend> twice;
  twice.push_back({partition, sequenced(7, 0, 0, {"a"})});
  twice.push_back({partition, sequenced(7, 0, 0, {"a"})});

  auto outcomes = node.run(node.log->append(std::move(twice)));

  EXPECT_EQ(outcomes[0].status, AppendStatus::Appended);
  EXPECT_EQ(outcomes[1].status, AppendStatus::Duplicate);
  EXPECT_EQ(outcomes[1].base_offset, 0);
}

TEST_F(EmbeddedLogTest, RefusesGapsAndOldEpochsOfAProducer) {
  auto stream = node.create("orders");
  PartitionId partition{stream, 0};
  node.append(partition, sequenced(7, 1, 0, {"a"}));

  EXPECT_EQ(node.append(partition, sequenced(7, 1, 5, {"x"})).status,
            AppendStatus::OutOfOrderSequence);
  EXPECT_EQ(node.append(partition, sequenced(7, 0, 1, {"x"})).status,
            AppendStatus::StaleProducerEpoch);
  EXPECT_THAT(node.values(partition), ElementsAre("a"));
}

TEST_F(EmbeddedLogTest, AppendsTogetherOrNotAtAll) {
  auto stream = node.create("orders", 2);
  node.append({stream, 1}, sequenced(7, 0, 0, {"first"}));
  std::vector<BatchToAppend> batches;
  batches.push_back({{stream, 0}, batch_of({"a"})});
  batches.push_back({{stream, 1}, sequenced(7, 0, 9, {"gap"})});

  auto outcomes = node.run(node.log->append_together(std::move(batches)));

  EXPECT_EQ(outcomes[0].status, AppendStatus::Stopped);
  EXPECT_EQ(outcomes[1].status, AppendStatus::OutOfOrderSequence);
  EXPECT_THAT(node.values({stream, 0}), SizeIs(0));
}

TEST_F(EmbeddedLogTest, SomeBatchesOfAnAppendStandOrFallTogether) {
  auto stream = node.create("orders", 4);
  node.append({stream, 1}, sequenced(7, 0, 0, {"first"}));
  const auto request = [&](std::int32_t sequence) {
    std::vector<BatchToAppend> batches;
    batches.push_back({{stream, 0}, batch_of({"alone"})});
    batches.push_back({{stream, 1}, sequenced(7, 0, sequence, {"second"})});
    batches.push_back({{stream, 2}, batch_of({"beside the second"}), true});
    batches.push_back({{stream, 3}, batch_of({"behind"})});
    return node.run(node.log->append(std::move(batches)));
  };

  auto gap = request(9);
  EXPECT_EQ(gap[0].status, AppendStatus::Appended);
  EXPECT_EQ(gap[1].status, AppendStatus::OutOfOrderSequence);
  EXPECT_EQ(gap[2].status, AppendStatus::Stopped);
  EXPECT_EQ(gap[3].status, AppendStatus::Appended);
  EXPECT_THAT(node.values({stream, 2}), SizeIs(0));

  EXPECT_EQ(request(1)[2].status, AppendStatus::Appended);
  auto again = request(1);
  EXPECT_EQ(again[1].status, AppendStatus::Duplicate);
  EXPECT_EQ(again[1].base_offset, 1);
  EXPECT_EQ(again[2].status, AppendStatus::Stopped);
  EXPECT_THAT(node.values({stream, 2}), ElementsAre("beside the second"));
}

TEST_F(EmbeddedLogTest, WritesRecordsOfSeveralStreamsInOneEntry) {
  auto orders = node.create("orders");
  auto answers = node.create("answers");
  auto entry = one_record(orders, "order");
  entry.push_back(one_record(answers, "answer").at(0));

  auto appended = node.run(node.log->append(std::move(entry)));

  ASSERT_TRUE(appended.has_value());
  EXPECT_EQ(appended->at(1).partition.stream, answers);
  EXPECT_THAT(node.values({answers, 0}), ElementsAre("answer"));
}

TEST_F(EmbeddedLogTest, StoresBorrowedRecordsByteForByteAsOwnedOnes) {
  auto owned_stream = node.create("owned");
  auto borrowed_stream = node.create("borrowed");
  auto answers = node.create("answers");
  auto entry = one_record(owned_stream, "order", "order-1");
  entry[0].records[0].headers = {{"ce_id", "A-1"}, {"ce_id", ""}, {"traceparent", "00-01"}};
  const std::array<std::pair<std::string_view, std::string_view>, 3> headers = {
      {{"ce_id", "A-1"}, {"ce_id", ""}, {"traceparent", "00-01"}}};
  const BorrowedRecord record{"order-1", "order", headers, {}};
  const BorrowedRecord answer{std::nullopt, "answer", {}, {}};
  const std::array<BorrowedRecords, 2> borrowed = {
      {{borrowed_stream, -1, {&record, 1}}, {answers, 0, {&answer, 1}}}};

  ASSERT_TRUE(node.run(node.log->append(std::move(entry))));
  auto appended = node.run(node.log->append_borrowed(borrowed));

  ASSERT_TRUE(appended.has_value());
  EXPECT_EQ(appended->at(1).partition.stream, answers);
  EXPECT_THAT(node.values({answers, 0}), ElementsAre("answer"));
  auto of = [&](StreamId stream) {
    ReadRequest request;
    request.partition = {stream, 0};
    return node.run(node.log->read(request)).value().records.at(0);
  };
  EXPECT_EQ(of(borrowed_stream).key, of(owned_stream).key);
  EXPECT_EQ(of(borrowed_stream).value, of(owned_stream).value);
  EXPECT_EQ(of(borrowed_stream).headers, of(owned_stream).headers);
}

TEST_F(EmbeddedLogTest, RefusesAnEntryAsAWholeWhenOneOfItsStreamsIsUnknown) {
  auto orders = node.create("orders");
  const BorrowedRecord record{std::nullopt, "order", {}, {}};
  const std::array<BorrowedRecords, 2> entry = {
      {{orders, 0, {&record, 1}}, {static_cast<StreamId>(999), 0, {&record, 1}}}};

  EXPECT_EQ(node.run(node.log->append_borrowed(entry)).error().code, ErrorCode::NotFound);
  EXPECT_THAT(node.values({orders, 0}), SizeIs(0));
}

TEST_F(EmbeddedLogTest, ChoosesThePartitionByKeyAsKafkaClientsDo) {
  auto stream = node.create("orders", 8);

  auto appended = node.run(node.log->append(one_record(stream, "v", "order-1")));

  EXPECT_EQ(appended->at(0).partition.partition, partition_of_key("order-1", 8));
}

TEST_F(EmbeddedLogTest, ParkedReadEndsWithTheNextRecord) {
  auto stream = node.create("orders");
  ReadRequest request;
  request.partition = {stream, 0};
  request.wait = 60s;
  std::optional<Result<ReadResult>> result;
  boost::asio::co_spawn(node.loop, node.log->read(request),
                        [&](std::exception_ptr, Result<ReadResult> r) { result = std::move(r); });

  node.append(stream, "a");
  while (!result && node.loop.run_one() > 0) {
  }

  EXPECT_THAT(values_of((*result)->records), ElementsAre("a"));
}

TEST_F(EmbeddedLogTest, ParkedReadEndsWithItsTime) {
  auto stream = node.create("orders");
  ReadRequest request;
  request.partition = {stream, 0};
  request.wait = 20ms;

  auto result = node.run(node.log->read(request));

  EXPECT_THAT(result->records, SizeIs(0));
  EXPECT_EQ(result->next, 0);
}

TEST_F(EmbeddedLogTest, FetchReturnsWholeBatchesFromTheOneThatHoldsTheOffset) {
  auto stream = node.create("orders");
  PartitionId partition{stream, 0};
  node.append(partition, batch_of({"a", "b"}));
  node.append(partition, batch_of({"c"}));
  FetchItem item{partition, 1, 1024 * 1024};

  auto fetched = node.run(node.log->fetch({item}, FetchOptions()));

  ASSERT_THAT(fetched, SizeIs(1));
  ASSERT_THAT(fetched[0].batches, SizeIs(2));
  EXPECT_EQ(read_batch_header(*fetched[0].batches[0])->base_offset, 0);
  EXPECT_EQ(fetched[0].info.end, 3);
}

TEST_F(EmbeddedLogTest, ABatchThatIsTooLargeForTheMemoryIsReadAmongThoseThatAreNot) {
  node.close();
  node.options.tail_bytes_max = 64 * 1024;
  ASSERT_TRUE(node.open());
  auto stream = node.create("orders");
  const std::string large(60'000, 'x');
  node.append(stream, "before");
  node.append(stream, large);
  node.append(stream, "behind");

  EXPECT_EQ(node.values({stream, 0}), (std::vector<std::string>{"before", large, "behind"}));
  EXPECT_EQ(node.values({stream, 0}, 1), (std::vector<std::string>{large, "behind"}));
}

TEST_F(EmbeddedLogTest, FetchGivesTheFirstBatchEvenIfItIsTooLarge) {
  auto stream = node.create("orders");
  PartitionId partition{stream, 0};
  node.append(partition, batch_of({std::string(5000, 'x')}));
  node.append(partition, batch_of({"small"}));
  FetchItem item{partition, 0, 100};

  auto fetched = node.run(node.log->fetch({item}, FetchOptions()));

  EXPECT_THAT(fetched[0].batches, SizeIs(1));
}

TEST_F(EmbeddedLogTest, SaysNotFoundForUnknownPartitions) {
  FetchItem item{{static_cast<StreamId>(99), 0}, 0, 100};

  auto fetched = node.run(node.log->fetch({item}, FetchOptions()));
  auto appended = node.append({static_cast<StreamId>(99), 0}, batch_of({"x"}));

  EXPECT_EQ(fetched[0].error, ErrorCode::NotFound);
  EXPECT_EQ(appended.status, AppendStatus::UnknownPartition);
}

TEST_F(EmbeddedLogTest, FindsOffsetsByTime) {
  auto stream = node.create("orders");
  PartitionId partition{stream, 0};
  for (int i = 0; i < 5; ++i) {
    node.append(partition, batch_of({"a", "b"}, {}, 1000 + i * 10));
  }

  EXPECT_EQ(node.run(node.log->offset_at(partition, from_unix_ms(1020))).value(), 4);
  EXPECT_EQ(node.run(node.log->offset_at(partition, from_unix_ms(1021))).value(), 6);
  EXPECT_EQ(node.run(node.log->offset_at(partition, from_unix_ms(0))).value(), 0);
  EXPECT_EQ(node.run(node.log->offset_at(partition, from_unix_ms(9999))).value(), 10);
}

TEST_F(EmbeddedLogTest, ReadsEverythingBackThroughManyWriteAheadFiles) {
  auto stream = node.create("orders");
  std::vector<std::string> expected;
  for (int i = 0; i < 200; ++i) {
    expected.push_back(std::to_string(i) + std::string(5000, 'x'));
    node.append(stream, expected.back());
  }

  EXPECT_EQ(node.values({stream, 0}), expected);
  node.reopen();
  EXPECT_EQ(node.values({stream, 0}), expected);
}

TEST_F(EmbeddedLogTest, CreatesAltersAndDeletesStreamsDurably) {
  auto stream = node.create("orders");
  auto settings = node.log->stream(stream)->settings;
  settings.partitions = 4;
  settings.retention_bytes = 1000;
  EXPECT_EQ(node.run(node.log->create_stream(stream_named("orders"))).error().code,
            ErrorCode::AlreadyExists);
  ASSERT_TRUE(node.run(node.log->alter_stream(stream, settings)).has_value());
  auto gone = node.create("gone");
  ASSERT_TRUE(node.run(node.log->delete_stream(gone)).has_value());

  node.reopen();

  EXPECT_EQ(node.log->stream(stream)->settings, settings);
  EXPECT_TRUE(node.log->partition({stream, 3}).has_value());
  EXPECT_FALSE(node.log->stream(gone).has_value());
  EXPECT_NE(node.create("gone"), gone);
  settings.partitions = 2;
  EXPECT_EQ(node.run(node.log->alter_stream(stream, settings)).error().code,
            ErrorCode::InvalidArgument);
}

TEST_F(EmbeddedLogTest, NeverGivesAProducerIdTwice) {
  auto first = node.run(node.log->new_producer_id()).value();
  auto second = node.run(node.log->new_producer_id()).value();

  node.reopen();

  EXPECT_EQ(second, first + 1);
  EXPECT_GT(node.run(node.log->new_producer_id()).value(), second);
}

TEST_F(EmbeddedLogTest, MovesTheStartOfAPartitionDurably) {
  auto stream = node.create("orders");
  PartitionId partition{stream, 0};
  for (auto value : {"a", "b", "c"}) node.append(stream, value);

  EXPECT_EQ(node.run(node.log->delete_records(partition, 2)).value(), 2);
  node.reopen();

  EXPECT_EQ(node.log->partition(partition)->start, 2);
  EXPECT_THAT(node.values(partition, 2), ElementsAre("c"));
  EXPECT_EQ(node.run(node.log->delete_records(partition, 9)).error().code, ErrorCode::OutOfRange);
}

TEST_F(EmbeddedLogTest, MemoryStreamsAreNotWrittenAndStayWithinTheirLimit) {
  auto settings = stream_named("ticks");
  settings.durability = Durability::Memory;
  auto stream = node.run(node.log->create_stream(settings)).value().id;
  auto syncs = node.metrics.counter("weft_log_fsyncs_total", "").value();

  node.append(stream, "tick");

  EXPECT_EQ(node.metrics.counter("weft_log_fsyncs_total", "").value(), syncs);
  EXPECT_THAT(node.values({stream, 0}), ElementsAre("tick"));
}

TEST_F(EmbeddedLogTest, TwoLogsCannotShareAFolder) {
  LogOnDisk second(node.options.folder);

  auto opened = second.open();

  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::AlreadyExists);
}

TEST_F(EmbeddedLogTest, RefusesABatchLargerThanItsStreamAllows) {
  auto settings = stream_named("small");
  settings.batch_bytes_max = 200;
  auto stream = node.run(node.log->create_stream(settings)).value().id;

  EXPECT_EQ(node.append({stream, 0}, batch_of({std::string(300, 'x')})).status,
            AppendStatus::TooLarge);
}

// They are one write, which has to fit a file; a Kafka client sends fewer at a time when it is
// told.
TEST_F(EmbeddedLogTest, RefusesBatchesThatTogetherFillMoreThanHalfAFile) {
  auto stream = node.create("orders", 4);
  std::vector<BatchToAppend> batches;
  for (std::int32_t i = 0; i < 4; ++i) {
    batches.push_back({{stream, i}, batch_of({std::string(node.options.wal_file_bytes / 4, 'x')})});
  }

  auto outcomes = node.run(node.log->append(std::move(batches)));

  ASSERT_EQ(outcomes.size(), 4u);
  for (const auto& outcome : outcomes) EXPECT_EQ(outcome.status, AppendStatus::TooLarge);
  EXPECT_EQ(node.append(stream, "next"), 0);
}

TEST_F(EmbeddedLogTest, AnswersStoppedAfterClosing) {
  auto stream = node.create("orders");
  node.run(node.log->close());

  EXPECT_EQ(node.append({stream, 0}, batch_of({"late"})).status, AppendStatus::Stopped);
  EXPECT_EQ(node.run(node.log->append(one_record(stream, "late"))).error().code,
            ErrorCode::Unavailable);
}

}  // namespace
}  // namespace weft::eventlog
