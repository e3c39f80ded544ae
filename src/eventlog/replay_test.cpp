// Replay by key and by range, over a log on real files.
#include "eventlog/replay.h"

#include "eventlog/embedded/log_test_bench.h"

namespace weft::eventlog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ReplayTest : public ::testing::Test {
 protected:
  ReplayTest() : node_(folder_.path() + "/log") {
    EXPECT_TRUE(node_.open());
    from_ = node_.create("from", 2);
    for (int i = 0; i < 6; ++i) add(fmt::format("{}", i), i % 2 == 0 ? "even" : "odd");
  }
  void add(std::string value, std::string key) {
    ASSERT_TRUE(node_.run(node_.log->append(one_record(from_, std::move(value), key, 1))));
  }
  StreamRef into(std::string name, std::int32_t partitions, Duration ttl = {}) {
    auto stream = std::make_shared<Stream>();
    stream->info = *node_.log->stream(node_.create(std::move(name), partitions));
    auto declared = std::make_shared<StreamDeclaration>();
    declared->ttl = ttl;
    stream->declared = declared;
    return stream;
  }
  Result<Replayed> replay(ReplayRange range, const StreamRef& to, bool is_preview = false) {
    range.from = {from_, 1};
    return node_.run(replay_some(*node_.log, std::move(range), to, node_.clock.now(), is_preview));
  }
  std::vector<Record> stored(const StreamRef& stream, std::int32_t partition) {
    ReadRequest request;
    request.partition = {stream->info.id, partition};
    return node_.run(node_.log->read(request)).value().records;
  }

  TemporaryFolder folder_;
  LogOnDisk node_;
  StreamId from_{};
};

TEST_F(ReplayTest, CopiesOneKeyToThePartitionOfTheSameNumber) {
  const auto to = into("to", 2);
  const ReplayRange range{{}, 0, 6, "odd"};
  EXPECT_EQ(replay(range, to, true)->records, 3U);
  EXPECT_THAT(stored(to, 1), SizeIs(0)) << "a preview stores nothing";

  const auto done = replay(range, to);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->records, 3U);
  EXPECT_EQ(done->next, 6);
  const auto copies = stored(to, 1);
  EXPECT_THAT(values_of(copies), ElementsAre("1", "3", "5"));
  EXPECT_EQ(copies[2].key, "odd");
  EXPECT_EQ(copies[2].header("weft-stream"), "from");
  EXPECT_EQ(copies[2].header("weft-partition"), "1");
  EXPECT_EQ(copies[2].header("weft-offset"), "5");
}

TEST_F(ReplayTest, EndsWhereTheRangeEnds) {
  const auto to = into("to", 2);
  const auto done = replay({{}, 1, 4, std::nullopt}, to);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->next, 4);
  EXPECT_THAT(values_of(stored(to, 1)), ElementsAre("1", "2", "3"));
}

TEST_F(ReplayTest, GoesByKeyWhereThePartitionsAreOthers) {
  const auto to = into("to", 5);
  ASSERT_TRUE(replay({{}, 0, 6, "even"}, to));
  EXPECT_THAT(values_of(stored(to, partition_of_key("even", 5))), ElementsAre("0", "2", "4"));
}

TEST_F(ReplayTest, KeepsTheTimeUnlessATtlWouldHideIt) {
  const auto timeless = into("timeless", 2);
  const auto fleeting = into("fleeting", 2, 1min);
  NewRecords old;
  old.stream = from_;
  old.partition = 1;
  old.records.push_back({"old", "6", {}, WallTime(std::chrono::hours(24 * 365 * 40))});
  std::vector<NewRecords> entry;
  entry.push_back(old);
  ASSERT_TRUE(node_.run(node_.log->append(std::move(entry))));

  ASSERT_TRUE(replay({{}, 6, 7, std::nullopt}, timeless));
  ASSERT_TRUE(replay({{}, 6, 7, std::nullopt}, fleeting));
  EXPECT_EQ(stored(timeless, 1).at(0).timestamp, old.records[0].timestamp);
  EXPECT_GT(stored(fleeting, 1).at(0).timestamp, node_.clock.now() - 1min);
}

TEST_F(ReplayTest, GivesTheTimeOfNowToWhatTheRetentionWouldDelete) {
  auto to = std::make_shared<Stream>(*into("to", 2));
  to->info.settings.retention = 1h;
  NewRecords old;
  old.stream = from_;
  old.partition = 1;
  old.records.push_back({"old", "6", {}, node_.clock.now() - 2h});
  std::vector<NewRecords> entry;
  entry.push_back(std::move(old));
  ASSERT_TRUE(node_.run(node_.log->append(std::move(entry))));

  ASSERT_TRUE(replay({{}, 6, 7, std::nullopt}, to));
  EXPECT_GT(stored(to, 1).at(0).timestamp, node_.clock.now() - 1min);
}

TEST_F(ReplayTest, AnEntryEndsWithItsBytesAsTheyAreUnpacked) {
  BatchOptions options;
  options.codec = Codec::Zstd;
  const auto large = std::string(400'000, 'x');
  ASSERT_EQ(node_.append({from_, 1}, batch_of({large, large, large, large, large}, options)).status,
            AppendStatus::Appended);
  const auto to = into("to", 2);
  const auto some = replay({{}, 6, 11, std::nullopt}, to);
  ASSERT_TRUE(some) << some.error().message;
  EXPECT_EQ(some->records, 2U);
  EXPECT_EQ(some->next, 8);
  const auto rest = replay({{}, 8, 11, std::nullopt}, to);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->next, 10);
}

TEST_F(ReplayTest, NamesTheRecordThatIsTooLarge) {
  add(std::string(1'000'000, 'x'), "large");
  auto to = std::make_shared<Stream>(*into("to", 2));
  to->info.settings.batch_bytes_max = 100'000;
  const auto done = replay({{}, 6, 7, std::nullopt}, to, true);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("offset 6 of partition 1 has 1000"));
}

TEST_F(ReplayTest, TakesRecordsWithoutValueWhereThereIsNoContract) {
  std::vector<NewRecords> entry(1);
  entry[0].stream = from_;
  entry[0].partition = 1;
  entry[0].records.push_back({"gone", std::nullopt, {}, {}});
  ASSERT_TRUE(node_.run(node_.log->append(std::move(entry))));
  EXPECT_TRUE(replay({{}, 6, 7, std::nullopt}, into("to", 2)));
}

TEST_F(ReplayTest, ARecordThatBreaksTheContractEndsIt) {
  auto strict = std::make_shared<Stream>(*into("strict", 2));
  auto declared = std::make_shared<StreamDeclaration>();
  const auto schema = JsonDocument::parse(R"({"maximum": 2})").value();
  declared->validation = ValidationPolicy::Every;
  declared->schema = contracts::JsonSchema::compile(schema.root()).value();
  strict->declared = declared;
  const auto done = replay({{}, 0, 6, std::nullopt}, strict);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::FailedPrecondition);
  EXPECT_THAT(done.error().message, HasSubstr("offset 3 of partition 1"));
  EXPECT_THAT(stored(strict, 1), SizeIs(0));
}

TEST_F(ReplayTest, AReadOfAKeyEndsWithItsBytes) {
  for (int i = 0; i < 5; ++i) add(std::string(400'000, 'x'), "large");
  ReadRequest request;
  request.partition = {from_, 1};
  const auto some = node_.run(read_of_key(*node_.log, request, "large")).value();
  EXPECT_THAT(some.records, SizeIs(3)) << "a megabyte";
  request.from = some.next;
  EXPECT_THAT(node_.run(read_of_key(*node_.log, request, "large")).value().records, SizeIs(2));
}

}  // namespace
}  // namespace weft::eventlog
