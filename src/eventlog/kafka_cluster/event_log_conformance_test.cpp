// What every back end of EventLog does, or says that it does not: the same cases over the embedded
// log and, where WEFT_TEST_KAFKA names a broker (host:port), over a cluster. Prints one matrix.
#include <cstdlib>

#include "eventlog/embedded/log_test_bench.h"
#include "eventlog/kafka_cluster/kafka_cluster_log.h"
#include "runtime/on_loop.h"
#include "runtime/task_group.h"

namespace weft::eventlog {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

enum class Backend : std::uint8_t { Embedded, Cluster };

std::string backend_name(Backend backend) {
  return backend == Backend::Embedded ? "Embedded" : "Cluster";
}

std::vector<Backend> backends() {
  std::vector<Backend> all{Backend::Embedded};
  if (std::getenv("WEFT_TEST_KAFKA") != nullptr) all.push_back(Backend::Cluster);
  return all;
}

class EventLogConformance : public ::testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    if (GetParam() == Backend::Embedded) {
      embedded = std::make_unique<LogOnDisk>(folder.path() + "/log");
      ASSERT_TRUE(embedded->open());
      log = embedded->log.get();
      return;
    }
    options.client = {{"bootstrap.servers", std::getenv("WEFT_TEST_KAFKA")}};
    if (const char* replicas = std::getenv("WEFT_TEST_KAFKA_REPLICAS"))
      options.replicas = std::atoi(replicas);
    auto opened = KafkaClusterLog::open(options, clock);
    ASSERT_TRUE(opened) << opened.error().message;
    cluster = *std::move(opened);
    log = cluster.get();
  }
  void TearDown() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    const std::string name = test->name();
    matrix()[name.substr(0, name.find('/'))][GetParam()] =
        HasFailure() ? "FAILED" : (unsupported ? "unsupported" : "yes");
    for (const auto id : made) (void)run(log->delete_stream(id));
  }
  static void TearDownTestSuite() {
    for (const auto& [name, results] : matrix()) {
      std::string line = fmt::format("{:<48}", name);
      for (const auto backend : backends()) {
        line += fmt::format(" {}: {:<12}", backend_name(backend),
                            results.contains(backend) ? results.at(backend) : "-");
      }
      fmt::print("{}\n", line);
    }
    matrix().clear();
  }
  static std::map<std::string, std::map<Backend, std::string>>& matrix() {
    static std::map<std::string, std::map<Backend, std::string>> all;
    return all;
  }

  template <class T>
  T run(Task<T> task) {
    return run_until_done(embedded ? embedded->loop : loop, std::move(task));
  }

  StreamSettings fresh(std::int32_t partitions = 1) {
    auto settings =
        stream_named(fmt::format("conformance.t{:x}.v1", SystemRandom().next()), partitions);
    settings.retention = std::chrono::hours(2);
    return settings;
  }
  StreamId create(const StreamSettings& settings) {
    auto info = run(log->create_stream(settings));
    EXPECT_TRUE(info) << info.error().message;
    if (!info) return {};
    made.push_back(info->id);
    return info->id;
  }
  std::vector<Appended> append(std::vector<NewRecords> entry) {
    auto appended = run(log->append(std::move(entry)));
    EXPECT_TRUE(appended) << appended.error().message;
    return appended ? *std::move(appended) : std::vector<Appended>(1);
  }
  Result<ReadResult> read(PartitionId partition, Offset from, std::uint32_t records_max = 10'000) {
    ReadRequest request;
    request.partition = partition;
    request.from = from;
    request.records_max = records_max;
    return run(log->read(request));
  }
  // So many records from there; a read may give fewer.
  std::vector<Record> records(PartitionId partition, Offset from, std::uint32_t count) {
    std::vector<Record> all;
    while (all.size() < count) {
      auto result = read(partition, from, count - static_cast<std::uint32_t>(all.size()));
      EXPECT_TRUE(result) << result.error().message;
      if (!result || result->next <= from) break;
      std::ranges::move(result->records, std::back_inserter(all));
      from = result->next;
    }
    return all;
  }
  // All values from there to the end.
  std::vector<std::string> values(PartitionId partition, Offset from = 0) {
    std::vector<std::string> all;
    for (;;) {
      auto result = read(partition, from);
      EXPECT_TRUE(result) << result.error().message;
      if (!result) return all;
      for (auto& value : values_of(result->records)) all.push_back(std::move(value));
      if (result->next >= result->partition.stable_end) return all;
      from = result->next;
    }
  }
  // Of the first, which waits for what the second does.
  static Task<Result<ReadResult>> both(Task<Result<ReadResult>> waits,
                                       Task<Result<std::vector<Appended>>> does) {
    TaskGroup group(co_await current_loop(), "both", 1);
    group.spawn(expect_done(std::move(does)));
    auto result = co_await std::move(waits);
    co_await group.join();
    co_return result;
  }
  static Task<void> expect_done(Task<Result<std::vector<Appended>>> does) {
    auto done = co_await std::move(does);
    EXPECT_TRUE(done) << done.error().message;
  }

  Task<void> wait_for_one(PartitionId partition, int& woken) {
    ReadRequest request;
    request.partition = partition;
    request.wait = 30s;
    auto result = co_await log->read(request);
    if (result && result->records.size() == 1) ++woken;
  }
  // How many were woken by one record in each partition.
  Task<int> wait_at_all(StreamId stream, std::int32_t partitions, int readers) {
    int woken = 0;
    TaskGroup group(co_await current_loop(), "readers", 1000);
    for (std::int32_t p = 0; p < partitions; ++p) {
      for (int i = 0; i < readers; ++i) group.spawn(wait_for_one({stream, p}, woken));
    }
    for (std::int32_t p = 0; p < partitions; ++p) {
      auto entry = one_record(stream, "x");
      entry[0].partition = p;
      auto appended = co_await log->append(std::move(entry));
      EXPECT_TRUE(appended) << appended.error().message;
    }
    co_await group.join();
    co_return woken;
  }

  using Placed = std::map<std::string, std::vector<Appended>>;
  Task<void> append_both(StreamId left, StreamId right, std::string value, Placed& placed) {
    std::vector<NewRecords> entry{{left, 0, {}}, {right, 0, {}}};
    entry[0].records.resize(2);
    entry[0].records[0].value = value + "a";
    entry[0].records[1].value = value + "b";
    entry[1].records.resize(1);
    entry[1].records[0].value = value;
    auto appended = co_await log->append(std::move(entry));
    EXPECT_TRUE(appended) << appended.error().message;
    if (appended) placed.emplace(std::move(value), *std::move(appended));
  }
  Task<Placed> append_at_once(StreamId left, StreamId right, int count) {
    Placed placed;
    TaskGroup group(co_await current_loop(), "appends", 1000);
    for (int i = 0; i < count; ++i)
      group.spawn(append_both(left, right, fmt::format("v{}", i), placed));
    co_await group.join();
    co_return placed;
  }
  void expect_yes_or_unsupported(const Result<>& result) {
    unsupported = !result && result.error().code == ErrorCode::Unsupported;
    EXPECT_TRUE(result || unsupported) << result.error().message;
  }

  TemporaryFolder folder;
  IoContext loop;
  SystemClock clock;
  KafkaClusterOptions options;
  std::unique_ptr<LogOnDisk> embedded;
  std::unique_ptr<KafkaClusterLog> cluster;
  EventLog* log = nullptr;
  std::vector<StreamId> made;
  bool unsupported = false;
};

TEST_P(EventLogConformance, GivesARecordBackAsItWas) {
  const auto stream = create(fresh());
  NewRecord record;
  record.key = "k";
  record.value = std::string("v\0w", 3);
  record.headers = {{"a", "1"}, {"b", ""}, {"a", "2"}};
  record.timestamp = from_unix_ms(1'700'000'000'123);
  NewRecord deletion;
  deletion.key = "gone";

  const auto first = append({{stream, 0, {record}}});
  append({{stream, 0, {deletion}}});
  const auto found = records({stream, 0}, first[0].first_offset, 2);

  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].key, record.key);
  EXPECT_EQ(found[0].value, record.value);
  EXPECT_EQ(found[0].headers, record.headers);
  EXPECT_EQ(found[0].timestamp, record.timestamp);
  EXPECT_EQ(found[1].key, "gone");
  EXPECT_EQ(found[1].value, std::nullopt);
}

TEST_P(EventLogConformance, KeepsTheOrderOfAPartitionAndGoesOnFromAnyOffset) {
  const auto stream = create(fresh());
  std::vector<std::string> expected;
  Offset last = -1;
  for (int i = 0; i < 20; ++i) {
    expected.push_back(std::to_string(i));
    const auto offset = append(one_record(stream, expected.back()))[0].first_offset;
    EXPECT_GT(offset, last);
    last = offset;
  }

  EXPECT_EQ(values({stream, 0}), expected);
  const auto some = records({stream, 0}, 0, 7);
  ASSERT_THAT(some, SizeIs(7));
  auto rest = values({stream, 0}, some.back().offset + 1);
  EXPECT_EQ(rest, std::vector<std::string>(expected.begin() + 7, expected.end()));
}

TEST_P(EventLogConformance, PlacesRecordsByKeyAsKafkasClientsDo) {
  const auto stream = create(fresh(3));

  for (const auto* key : {"a", "b", "c", "d"}) {
    const auto appended = append(one_record(stream, "v", key));
    EXPECT_EQ(appended[0].partition.partition, partition_of_key(key, 3)) << key;
  }
}

TEST_P(EventLogConformance, AnEntryOfSeveralRecordsIsThereAsAWhole) {
  const auto left = create(fresh(2));
  const auto right = create(fresh());
  NewRecord one;
  one.value = "one";
  NewRecord two;
  two.value = "two";

  const auto appended = append({{left, 1, {one, two}}, {right, 0, {two}}});

  ASSERT_THAT(appended, SizeIs(2));
  EXPECT_EQ(appended[0].partition, (PartitionId{left, 1}));
  EXPECT_THAT(values({left, 1}), ElementsAre("one", "two"));
  EXPECT_THAT(values({right, 0}), ElementsAre("two"));
}

TEST_P(EventLogConformance, RefusesAnEntryAsAWhole) {
  const auto stream = create(fresh());
  NewRecord one;
  one.value = "one";

  auto refused = run(log->append({{stream, 0, {one}}, {stream, 9, {one}}}));

  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().code == ErrorCode::InvalidArgument ||
              refused.error().code == ErrorCode::NotFound);
  EXPECT_THAT(values({stream, 0}), SizeIs(0));
}

TEST_P(EventLogConformance, RefusesWhatIsTooLarge) {
  auto settings = fresh();
  settings.batch_bytes_max = 2000;
  const auto stream = create(settings);

  auto refused = run(log->append(one_record(stream, std::string(5000, 'x'))));

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument) << refused.error().message;
}

TEST_P(EventLogConformance, SaysWhereAPartitionBeginsAndEnds) {
  const auto stream = create(fresh());
  append(one_record(stream, "a"));

  EXPECT_EQ(read({stream, 0}, 50).error().code, ErrorCode::OutOfRange);
  auto at_end = read({stream, 0}, 1);
  ASSERT_TRUE(at_end) << at_end.error().message;
  EXPECT_THAT(at_end->records, SizeIs(0));
  EXPECT_EQ(at_end->next, 1);
  EXPECT_EQ(at_end->partition.end, 1);
  EXPECT_EQ(at_end->partition.start, 0);
}

TEST_P(EventLogConformance, AReadEndsWithItsTimeWhereNothingComes) {
  const auto stream = create(fresh());
  ReadRequest request;
  request.partition = {stream, 0};
  request.wait = 200ms;

  auto result = run(log->read(request));

  ASSERT_TRUE(result) << result.error().message;
  EXPECT_THAT(result->records, SizeIs(0));
  EXPECT_EQ(result->next, 0);
}

TEST_P(EventLogConformance, FindsTheFirstRecordOfATime) {
  const auto stream = create(fresh());
  const auto now = from_unix_ms(to_unix_ms(clock.now()));
  for (int i = 0; i < 4; ++i) {
    NewRecord record;
    record.value = std::to_string(i);
    record.timestamp = now + i * 1s;
    append({{stream, 0, {record}}});
  }

  EXPECT_EQ(run(log->offset_at({stream, 0}, now)).value(), 0);
  EXPECT_EQ(run(log->offset_at({stream, 0}, now + 1500ms)).value(), 2);
  EXPECT_EQ(run(log->offset_at({stream, 0}, now + 1h)).value(), 4);
}

TEST_P(EventLogConformance, MakesGrowsAndDeletesStreams) {
  auto settings = fresh();
  const auto stream = create(settings);
  EXPECT_EQ(run(log->create_stream(settings)).error().code, ErrorCode::AlreadyExists);
  EXPECT_EQ(log->find_stream("default", settings.name)->id, stream);

  settings.partitions = 3;
  settings.retention = std::chrono::hours(5);
  auto grown = run(log->alter_stream(stream, settings));
  ASSERT_TRUE(grown) << grown.error().message;
  EXPECT_EQ(log->stream(stream)->settings, settings);
  settings.partitions = 2;
  EXPECT_EQ(run(log->alter_stream(stream, settings)).error().code, ErrorCode::InvalidArgument);

  auto deleted = run(log->delete_stream(stream));
  ASSERT_TRUE(deleted) << deleted.error().message;
  EXPECT_FALSE(log->find_stream("default", settings.name));
  EXPECT_EQ(run(log->append(one_record(stream, "x"))).error().code, ErrorCode::NotFound);
}

TEST_P(EventLogConformance, KnowsItsStreamsAgainWhenItIsOpenedAnew) {
  auto settings = fresh(2);
  settings.cleanup = Cleanup::CompactAndDelete;
  settings.retention_bytes = 1 << 20;
  const auto stream = create(settings);
  append(one_record(stream, "kept", "key", 1));

  if (embedded) {
    embedded->reopen();
    log = embedded->log.get();
  } else {
    cluster = KafkaClusterLog::open(options, clock).value();
    log = cluster.get();
  }

  const auto info = log->find_stream("default", settings.name);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->settings, settings);
  EXPECT_THAT(values({info->id, 1}), ElementsAre("kept"));
  made = {info->id};
}

TEST_P(EventLogConformance, StreamsInMemory) {
  auto settings = fresh();
  settings.durability = Durability::Memory;

  auto info = run(log->create_stream(settings));

  expect_yes_or_unsupported(info ? Result<>() : std::unexpected(info.error()));
}

TEST_P(EventLogConformance, RetiresStreams) {
  const auto stream = create(fresh());

  expect_yes_or_unsupported(run(log->retire_stream(stream, clock.now())));
}

TEST_P(EventLogConformance, AWaitEndsWithTheFirstRecord) {
  const auto stream = create(fresh());
  append(one_record(stream, "before"));
  ReadRequest request;
  request.partition = {stream, 0};
  request.from = 1;
  request.wait = 30s;

  auto read = run(both(log->read(request), log->append(one_record(stream, "after"))));

  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(values_of(read->records), ElementsAre("after"));
  EXPECT_EQ(read->next, 2);
}

TEST_P(EventLogConformance, ManyWaitAtOnce) {
  constexpr std::int32_t kPartitions = 20;
  constexpr int kReaders = 10;  // of each partition
  const auto stream = create(fresh(kPartitions));

  const auto woken = run(wait_at_all(stream, kPartitions, kReaders));

  EXPECT_EQ(woken, kPartitions * kReaders);
}

TEST_P(EventLogConformance, ReadsFromAnywhereInAnyOrder) {
  const auto stream = create(fresh());
  constexpr int kRecords = 300;
  for (int i = 0; i < kRecords; i += 10) {
    NewRecords records{stream, 0, {}};
    for (int j = 0; j < 10; ++j) records.records.emplace_back().value = std::to_string(i + j);
    append({std::move(records)});
  }
  const auto all = values({stream, 0});
  ASSERT_THAT(all, SizeIs(kRecords));
  std::vector<Offset> offsets;
  for (Offset from = 0; offsets.size() < all.size();) {
    auto some = read({stream, 0}, from);
    ASSERT_TRUE(some) << some.error().message;
    for (const auto& record : some->records) offsets.push_back(record.offset);
    from = some->next;
  }

  for (const auto at : {200, 10, 299, 0, 150, 149, 151, 30, 30, 298}) {
    auto one = read({stream, 0}, offsets[static_cast<std::size_t>(at)], 1);
    ASSERT_TRUE(one) << one.error().message;
    EXPECT_THAT(values_of(one->records), ElementsAre(std::to_string(at)));
  }
}

TEST_P(EventLogConformance, EntriesOfManyAtOnceKeepTheirOffsets) {
  const auto left = create(fresh());
  const auto right = create(fresh());

  const auto placed = run(append_at_once(left, right, 50));

  ASSERT_THAT(placed, SizeIs(50));
  for (const auto& [value, appended] : placed) {
    const auto both = records({left, 0}, appended[0].first_offset, 2);
    EXPECT_THAT(values_of(both), ElementsAre(value + "a", value + "b"));
    const auto other = records({right, 0}, appended[1].first_offset, 1);
    EXPECT_THAT(values_of(other), ElementsAre(value));
  }
}

TEST_P(EventLogConformance, AWriterThatIsOpenedAgainShutsTheOlderOut) {
  const auto stream = create(fresh());
  const auto name = fmt::format("conformance-{:x}", SystemRandom().next());
  auto older = run(log->open_writer(name));
  ASSERT_TRUE(older) << older.error().message;
  ASSERT_TRUE(run((*older)->append(one_record(stream, "older"))));
  auto newer = run(log->open_writer(name));
  ASSERT_TRUE(newer) << newer.error().message;
  ASSERT_TRUE(run((*newer)->append(one_record(stream, "newer"))));

  auto refused = run((*older)->append(one_record(stream, "too late")));

  if (log->is_shared()) {
    ASSERT_FALSE(refused);
    refused = run((*older)->append(one_record(stream, "still too late")));
    EXPECT_EQ(refused.error().code, ErrorCode::Conflict) << refused.error().message;
    EXPECT_THAT(values({stream, 0}), ElementsAre("older", "newer"));
  } else {
    unsupported = true;  // and not needed: the log belongs to one process
  }
}

INSTANTIATE_TEST_SUITE_P(Over, EventLogConformance, ::testing::ValuesIn(backends()),
                         [](const auto& over) { return backend_name(over.param); });

}  // namespace
}  // namespace weft::eventlog
