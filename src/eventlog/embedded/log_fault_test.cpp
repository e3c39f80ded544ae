// Crashes at every step, damage, failed syncs and a full disk, over the simulated disk.
#include "eventlog/embedded/log_test_bench.h"
#include "runtime/world.h"

namespace weft::eventlog {
namespace {

using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;

class LogInWorld {
 public:
  explicit LogInWorld(std::uint64_t seed) : world(seed) {
    options.folder = "/data/log";
    options.wal_file_bytes = 16 * 1024;
    options.disk_reserve_bytes = 0;
    options.tail_bytes_max = 0;
    options.maintenance_interval = 1h;
    options.executors = LogExecutors{world.executor(), world.executor()};
  }
  ~LogInWorld() { close(); }

  Result<> open() {
    auto opened =
        world.run(EmbeddedLog::open(world.disk, world.clock, world.random, metrics, options));
    if (!opened) return std::unexpected(opened.error());
    log = *std::move(opened);
    return {};
  }
  void close() {
    if (log) world.run(closing());
    log.reset();
  }
  void crash(CrashKeeps keeps = CrashKeeps::Random) {
    world.disk.lose_power();
    close();
    world.crash(keeps);
  }
  void reopen() {
    close();
    auto opened = open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
  }
  StreamId create(std::string name) {
    return world.run(log->create_stream(stream_named(std::move(name)))).value().id;
  }
  AppendStatus append(StreamId stream, std::string value) {
    return world.run(log->append(one_batch({stream, 0}, batch_of({std::move(value)}))))
        .at(0)
        .status;
  }
  std::vector<std::string> values(StreamId stream) {
    ReadRequest request;
    request.partition = {stream, 0};
    std::vector<std::string> all;
    for (;;) {
      auto result = world.run(log->read(request));
      if (!result) return {"error: " + result.error().message};
      for (auto& value : values_of(result->records)) all.push_back(std::move(value));
      if (result->next >= result->partition.end) return all;
      request.from = result->next;
    }
  }
  std::string wal_file(std::uint64_t sequence) {
    return fmt::format("/data/log/wal/{:016x}.wal", sequence);
  }

  World world;
  Metrics metrics;
  LogOptions options;
  std::unique_ptr<EmbeddedLog> log;

 private:
  Task<bool> closing() {
    co_await log->close();
    co_return true;
  }
};

// Appends, rolls, places and writes manifests; what was acknowledged before the power went.
std::vector<std::string> work_until_power_fails(LogInWorld& node) {
  std::vector<std::string> acknowledged;
  if (!node.open()) return acknowledged;
  auto known = node.log->find_stream("default", "orders");
  auto stream = known ? Result<StreamInfo>(*known)
                      : node.world.run(node.log->create_stream(stream_named("orders")));
  for (int i = 0; stream && i < 12; ++i) {
    auto value = fmt::format("{}-", i) + std::string(1500, 'x');
    if (node.append(stream->id, value) == AppendStatus::Appended) acknowledged.push_back(value);
    if (i % 5 == 4) [[maybe_unused]]
      auto tidied = node.world.run(node.log->tidy());
  }
  return acknowledged;
}

TEST(LogFaults, KeepWhatWasAcknowledgedWhereverThePowerFails) {
  std::uint64_t steps = 0;
  {
    LogInWorld whole(1);
    work_until_power_fails(whole);
    whole.close();
    steps = whole.world.disk.counters().steps();
  }
  ASSERT_GT(steps, 50u);
  for (std::uint64_t step = 0; step <= steps; ++step) {
    for (auto keeps : {CrashKeeps::Nothing, CrashKeeps::Random, CrashKeeps::Everything}) {
      LogInWorld node(step + 1);
      node.world.disk.lose_power_after(step);
      auto acknowledged = work_until_power_fails(node);
      node.crash(keeps);

      auto opened = node.open();
      ASSERT_TRUE(opened.has_value()) << "step " << step << ": " << opened.error().message;
      EXPECT_EQ(node.log->status().damaged_ranges, 0u) << "step " << step;
      if (acknowledged.empty()) continue;
      auto stream = node.log->find_stream("default", "orders");
      ASSERT_TRUE(stream.has_value()) << "step " << step;
      EXPECT_THAT(node.values(stream->id), IsSupersetOf(acknowledged)) << "step " << step;
    }
  }
}

// A start writes again what nobody has confirmed, and lets its file count by its header; until the
// file with the originals is placed, both are there.
void damage_a_header(std::uint64_t step, bool after_another_start, int& damaged) {
  LogInWorld node(step);
  ASSERT_TRUE(node.open().has_value());
  const auto stream = node.create("orders");
  node.append(stream, "0");
  node.append(stream, "1");
  node.crash(CrashKeeps::Everything);
  const auto start_until = [&](std::uint64_t steps) {
    node.world.disk.lose_power_after(steps);
    (void)node.open();
    node.crash(CrashKeeps::Everything);
  };
  start_until(step);
  if (after_another_start) start_until(step + 4);
  if (node.world.disk.durable_bytes(node.wal_file(2)).value_or("").size() > 40) {
    ++damaged;
    node.world.disk.flip_bit(node.wal_file(2), 40, 3);
  }
  // The start behind it finds copies without a header, and the next one the file again.
  for (std::uint64_t again = step; again < step + 8; ++again) start_until(again);

  auto opened = node.open();
  ASSERT_TRUE(opened.has_value()) << "step " << step << ": " << opened.error().message;
  EXPECT_THAT(node.values(stream), ElementsAre("0", "1")) << "step " << step;
  // Readers go by offsets and would not see a second copy before segments are merged.
  EXPECT_EQ(node.log->partition({stream, 0})->bytes, 2 * batch_of({"0"}).size()) << "step " << step;
}

TEST(LogFaults, ADamagedHeaderOfAFileCostsNoRecordAndDoublesNone) {
  int damaged = 0;
  for (std::uint64_t step = 1; step < 40; ++step) {
    damage_a_header(step, false, damaged);
    damage_a_header(step, true, damaged);
  }
  EXPECT_GT(damaged, 0);
}

TEST(LogFaults, DamageInTheMiddleIsSetAsideAndTheOthersKeepWorking) {
  LogInWorld node(2);
  ASSERT_TRUE(node.open().has_value());
  auto orders = node.create("orders");
  auto others = node.create("others");
  for (int i = 0; i < 5; ++i) node.append(orders, std::to_string(i));
  node.append(others, "other");
  node.close();
  // Every entry is 32 + 16 + 61 + 8 bytes or so; this is one of the middle.
  auto bytes = *node.world.disk.durable_bytes(node.wal_file(1));
  auto third = bytes.find(batch_of({"2"}).substr(61));
  ASSERT_NE(third, std::string::npos);
  node.world.disk.flip_bit(node.wal_file(1), third + 6, 2);

  ASSERT_TRUE(node.open().has_value());

  EXPECT_EQ(node.log->status().damaged_ranges, 1u);
  EXPECT_THAT(node.values(orders), ElementsAre("0", "1", "3", "4"));
  EXPECT_THAT(node.values(others), ElementsAre("other"));
  EXPECT_EQ(node.append(orders, "5"), AppendStatus::Appended);
  EXPECT_EQ(node.log->partition({orders, 0})->leader_epoch, 1);
  auto names = node.world.run(node.world.disk.list("/data/log/quarantine"));
  EXPECT_THAT(*names, SizeIs(1));
}

TEST(LogFaults, OffsetsInDamagedBytesAreNotGivenAgain) {
  LogInWorld node(3);
  ASSERT_TRUE(node.open().has_value());
  auto orders = node.create("orders");
  auto others = node.create("others");
  node.append(orders, "0");
  node.append(orders, "last");
  node.append(others, "later");
  node.close();
  auto bytes = *node.world.disk.durable_bytes(node.wal_file(1));
  node.world.disk.flip_bit(node.wal_file(1), bytes.find("last"), 1);

  ASSERT_TRUE(node.open().has_value());
  auto outcome = node.world.run(node.log->append(one_batch({orders, 0}, batch_of({"next"}))));

  EXPECT_GT(outcome.at(0).base_offset, 1);
  EXPECT_THAT(node.values(orders), ElementsAre("0", "next"));
  node.reopen();
  EXPECT_THAT(node.values(orders), ElementsAre("0", "next"));
}

TEST(LogFaults, AFailedSyncStopsWritesAndLeavesReadsAlone) {
  LogInWorld node(4);
  ASSERT_TRUE(node.open().has_value());
  auto stream = node.create("orders");
  node.append(stream, "before");
  DiskFaults faults;
  faults.sync_fails = 1;
  node.world.disk.set_faults(faults);

  EXPECT_EQ(node.append(stream, "lost"), AppendStatus::Stopped);
  node.world.disk.set_faults(DiskFaults());
  EXPECT_EQ(node.append(stream, "after"), AppendStatus::Stopped);
  EXPECT_TRUE(node.log->status().stopped);
  EXPECT_THAT(node.values(stream), ElementsAre("before"));

  node.crash(CrashKeeps::Nothing);
  ASSERT_TRUE(node.open().has_value());
  EXPECT_EQ(node.append(stream, "again"), AppendStatus::Appended);
}

TEST(LogFaults, AFullDiskRefusesAppendsAndTakesThemAgainWhenThereIsSpace) {
  LogInWorld node(5);
  node.options.maintenance_interval = 100ms;
  node.options.disk_reserve_bytes = 8 * 1024;
  ASSERT_TRUE(node.open().has_value());
  auto stream = node.create("orders");
  node.append(stream, "before");
  DiskFaults faults;
  faults.bytes_max = 20 * 1024;
  node.world.disk.set_faults(faults);
  node.world.run_for(1s);

  EXPECT_EQ(node.append(stream, "refused"), AppendStatus::DiskFull);
  EXPECT_THAT(node.values(stream), ElementsAre("before"));
  EXPECT_EQ(node.world.run(node.log->delete_records({stream, 0}, 1)).value(), 1);

  node.world.disk.set_faults(DiskFaults());
  node.world.run_for(1s);
  EXPECT_EQ(node.append(stream, "after"), AppendStatus::Appended);
}

TEST(LogFaults, AMissingManifestIsNotTakenForAnEmptyLog) {
  LogInWorld node(6);
  ASSERT_TRUE(node.open().has_value());
  node.append(node.create("orders"), "x");
  node.close();
  ASSERT_TRUE(node.world.run(node.world.disk.remove("/data/log/MANIFEST")).has_value());

  auto opened = node.open();

  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::DataLoss);
}

TEST(LogFaults, QuietLogsArePlacedWhenTheirFileIsOldEnough) {
  LogInWorld node(7);
  node.options.maintenance_interval = 1min;
  ASSERT_TRUE(node.open().has_value());
  auto stream = node.create("orders");
  node.append(stream, "x");

  node.world.run_for(30min);

  auto names = node.world.run(node.world.disk.list("/data/log/segments"));
  EXPECT_THAT(*names, SizeIs(1));
  EXPECT_THAT(node.values(stream), ElementsAre("x"));
}

TEST(LogFaults, TheLastGroupIsKnownToBeWholeAfterAnIdleRound) {
  LogInWorld node(8);
  node.options.maintenance_interval = 1s;
  ASSERT_TRUE(node.open().has_value());
  auto stream = node.create("orders");
  node.append(stream, "last");
  node.world.run_for(5s);
  auto bytes = *node.world.disk.durable_bytes(node.wal_file(1));
  node.crash();
  node.world.disk.flip_bit(node.wal_file(1), bytes.find("last"), 1);

  ASSERT_TRUE(node.open().has_value());

  EXPECT_EQ(node.log->status().damaged_ranges, 1u);
  EXPECT_EQ(node.log->status().cut_bytes, 0u);
}

TEST(LogFaults, TheScrubFindsWhatTheDiskLost) {
  LogInWorld node(8);
  ASSERT_TRUE(node.open());
  auto stream = node.create("orders");
  for (int i = 0; i < 50; ++i) node.append(stream, "record " + std::to_string(i));
  ASSERT_TRUE(node.world.run(node.log->tidy()));
  ASSERT_TRUE(node.world.run(node.log->scrub()));
  EXPECT_EQ(node.log->status().scrub_damaged, 0u);
  EXPECT_GT(node.metrics.counter("weft_log_scrubbed_bytes_total", "").value(), 50u * 61u);

  const auto names = *node.world.run(node.world.disk.list("/data/log/segments"));
  ASSERT_THAT(names, SizeIs(1));
  const auto path = "/data/log/segments/" + names[0];
  const auto bytes = *node.world.disk.durable_bytes(path);
  node.world.disk.flip_bit(path, bytes.find("record 7"), 1);
  node.world.disk.flip_bit(path, bytes.find("record 31"), 1);
  ASSERT_TRUE(node.world.run(node.log->scrub()));

  EXPECT_EQ(node.log->status().scrub_damaged, 2u);
}

TEST(LogFaults, TheScrubComesByItselfAndTakesItsTime) {
  LogInWorld node(8);
  node.options.scrub_bytes_per_second = 1000;
  node.options.scrub_interval = std::chrono::hours(24);
  ASSERT_TRUE(node.open());
  auto stream = node.create("orders");
  for (int i = 0; i < 100; ++i) node.append(stream, std::string(1000, 'x'));
  ASSERT_TRUE(node.world.run(node.log->tidy()));
  const auto passes = [&] {
    return node.metrics.counter("weft_log_scrub_passes_total", "").value();
  };
  node.world.run_for(10min + 60s);
  EXPECT_EQ(passes(), 0u);
  node.world.run_for(2min);
  EXPECT_EQ(passes(), 1u);
  node.world.run_for(std::chrono::hours(23));
  EXPECT_EQ(passes(), 1u);
  node.world.run_for(std::chrono::hours(2));
  EXPECT_EQ(passes(), 2u);
}

TEST(LogFaults, AFileThatCouldNotBeRemovedGoesLater) {
  LogInWorld node(7);
  ASSERT_TRUE(node.open());
  auto stream = node.create("orders");
  DiskFaults faults;
  faults.remove_fails = 1;
  node.world.disk.set_faults(faults);
  for (int i = 0; i < 100; ++i) node.append(stream, std::string(1000, 'x'));
  EXPECT_FALSE(node.world.run(node.log->tidy()));
  node.world.disk.set_faults({});

  ASSERT_TRUE(node.world.run(node.log->tidy()));

  auto files = node.world.run(node.world.disk.list("/data/log/wal")).value();
  EXPECT_LE(files.size(), 2u) << fmt::format("{}", fmt::join(files, ", "));
}

}  // namespace
}  // namespace weft::eventlog
