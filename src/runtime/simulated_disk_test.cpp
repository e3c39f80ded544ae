#include "runtime/simulated_disk.h"

#include <gmock/gmock.h>

#include <set>

#include "runtime/seeded_test.h"
#include "runtime/world.h"

namespace weft {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t kSector = 512;

std::unique_ptr<File> open(World& world, std::string path, OpenMode mode = OpenMode::CreateOrOpen) {
  auto file = world.run(world.disk.open(std::move(path), mode));
  EXPECT_TRUE(file) << file.error().message;
  return file ? std::move(*file) : nullptr;
}

// A file whose name is durable already.
std::unique_ptr<File> open_durable(World& world, std::string path) {
  auto file = open(world, std::move(path));
  EXPECT_TRUE(world.run(world.disk.sync_directory("/")));
  return file;
}

Result<> write(World& world, File& file, std::uint64_t offset, std::string_view text) {
  std::string_view buffers[] = {text};
  return world.run(file.write_at(buffers, offset));
}

Result<std::string> content(World& world, std::string path) {
  return world.run(read_file(world.disk, std::move(path), 1 << 20));
}

TEST(SimulatedDisk, ReadsBackWhatWasWrittenAndNotSynced) {
  World world(1);
  auto file = open(world, "/a");

  ASSERT_TRUE(write(world, *file, 3, "abc"));

  EXPECT_EQ(content(world, "/a").value(), std::string("\0\0\0abc", 6));
}

TEST(SimulatedDisk, NeverLosesWhatWasSynced) {
  for_each_seed(500, [](std::uint64_t seed) {
    World world(seed);
    auto file = open_durable(world, "/a");
    std::string expected;
    for (int i = 0; i < 5; ++i) {
      auto part = world.random.bytes(world.random.below(3000));
      ASSERT_TRUE(write(world, *file, expected.size(), part));
      expected += part;
    }
    ASSERT_TRUE(world.run(file->sync()));
    EXPECT_EQ(world.disk.durable_bytes("/a"), expected);

    ASSERT_TRUE(write(world, *file, expected.size(), "not synced"));
    world.crash();

    auto left = content(world, "/a");
    ASSERT_TRUE(left) << left.error().message;
    EXPECT_EQ(left->substr(0, expected.size()), expected);
  });
}

TEST(SimulatedDisk, LosesUnsyncedBytesInManyWaysOverTheSeeds) {
  int kept_all = 0;
  int kept_none = 0;
  int torn = 0;
  int later_without_earlier = 0;
  int zeros_inside = 0;
  for_each_seed(500, [&](std::uint64_t seed) {
    World world(seed);
    auto file = open_durable(world, "/a");
    ASSERT_TRUE(write(world, *file, 0, std::string(2 * kSector, '1')));
    ASSERT_TRUE(write(world, *file, 2 * kSector, std::string(2 * kSector, '2')));

    world.crash();

    auto left = content(world, "/a").value();
    const auto ones = std::ranges::count(left, '1');
    const auto twos = std::ranges::count(left, '2');
    const auto zeros = std::ranges::count(left, '\0');
    ASSERT_EQ(static_cast<std::size_t>(ones + twos + zeros), left.size());
    // A sector is there as a whole or not at all.
    ASSERT_EQ(ones % kSector, 0);
    ASSERT_EQ(twos % kSector, 0);
    kept_all += ones + twos == 4 * kSector;
    kept_none += ones + twos == 0;
    torn += ones == kSector || twos == kSector;
    later_without_earlier += twos > 0 && ones < 2 * static_cast<long>(kSector);
    zeros_inside += zeros > 0;
  });

  EXPECT_GT(kept_all, 20);
  EXPECT_GT(kept_none, 20);
  EXPECT_GT(torn, 20);
  EXPECT_GT(later_without_earlier, 20);
  EXPECT_GT(zeros_inside, 20);
}

TEST(SimulatedDisk, ASectorWrittenTwiceHoldsOneOfItsThreeContents) {
  std::set<char> seen;
  for_each_seed(200, [&](std::uint64_t seed) {
    World world(seed);
    auto file = open_durable(world, "/a");
    ASSERT_TRUE(write(world, *file, 0, std::string(kSector, 'o')));
    ASSERT_TRUE(world.run(file->sync()));
    ASSERT_TRUE(write(world, *file, 0, std::string(kSector, '1')));
    ASSERT_TRUE(write(world, *file, 0, std::string(kSector, '2')));

    world.crash();

    auto left = content(world, "/a").value();
    ASSERT_EQ(left, std::string(kSector, left[0]));
    seen.insert(left[0]);
  });

  EXPECT_THAT(seen, ElementsAre('1', '2', 'o'));
}

TEST(SimulatedDisk, CanLoseOrKeepEverythingOnRequest) {
  for (auto keeps : {CrashKeeps::Nothing, CrashKeeps::Everything}) {
    World world(1);
    auto file = open_durable(world, "/a");
    ASSERT_TRUE(write(world, *file, 0, "lost?"));

    world.crash(keeps);

    EXPECT_EQ(content(world, "/a").value(), keeps == CrashKeeps::Nothing ? "" : "lost?");
  }
}

TEST(SimulatedDisk, LosesANameThatItsFolderWasNotSyncedFor) {
  int lost = 0;
  int kept = 0;
  for_each_seed(100, [&](std::uint64_t seed) {
    World world(seed);
    auto file = open(world, "/a");
    ASSERT_TRUE(write(world, *file, 0, "content"));
    ASSERT_TRUE(world.run(file->sync()));
    EXPECT_EQ(world.disk.durable_bytes("/a"), std::nullopt);

    world.crash();

    auto left = content(world, "/a");
    ASSERT_EQ(left.value_or("content"), "content");
    ++(left ? kept : lost);
  });

  EXPECT_GT(lost, 10);
  EXPECT_GT(kept, 10);
}

TEST(SimulatedDisk, NeverLosesASyncedName) {
  for_each_seed(100, [](std::uint64_t seed) {
    World world(seed);
    ASSERT_TRUE(world.run(world.disk.create_directories("/data/log")));
    auto file = open(world, "/data/log/a.tmp");
    ASSERT_TRUE(world.run(world.disk.rename("/data/log/a.tmp", "/data/log/a")));
    ASSERT_TRUE(world.run(world.disk.sync_directory("/data/log")));

    world.crash();

    EXPECT_THAT(world.run(world.disk.list("/data/log")).value(), ElementsAre("a"));
  });
}

TEST(SimulatedDisk, ARenameIsAtomic) {
  int old_content = 0;
  int new_content = 0;
  for_each_seed(200, [&](std::uint64_t seed) {
    World world(seed);
    ASSERT_TRUE(world.run(write_file_durably(world.disk, "/a", "old")));
    auto file = open(world, "/a.tmp");
    ASSERT_TRUE(write(world, *file, 0, "new"));
    ASSERT_TRUE(world.run(file->sync()));
    ASSERT_TRUE(world.run(world.disk.rename("/a.tmp", "/a")));

    world.crash();

    auto left = content(world, "/a").value();
    ASSERT_TRUE(left == "old" || left == "new") << left;
    ++(left == "old" ? old_content : new_content);
  });

  EXPECT_GT(old_content, 10);
  EXPECT_GT(new_content, 10);
}

TEST(SimulatedDisk, ReplacingAFileDurablySurvivesLossOfPowerAtEveryStep) {
  for_each_seed(50, [](std::uint64_t seed) {
    for (std::uint64_t steps = 0; steps < 8; ++steps) {
      World world(seed);
      ASSERT_TRUE(world.run(write_file_durably(world.disk, "/a", "old")));
      world.disk.lose_power_after(steps);

      auto written = world.run(write_file_durably(world.disk, "/a", "new content"));
      const bool acknowledged = written.has_value();
      world.crash();

      auto left = content(world, "/a").value();
      ASSERT_TRUE(left == "new content" || (left == "old" && !acknowledged))
          << "after " << steps << " steps: " << left;
    }
  });
}

TEST(SimulatedDisk, ReplacingAFileWithoutSyncIsCaught) {
  int damaged = 0;
  for_each_seed(50, [&](std::uint64_t seed) {
    World world(seed);
    ASSERT_TRUE(world.run(write_file_durably(world.disk, "/a", "old")));
    auto file = open(world, "/a.tmp");
    ASSERT_TRUE(write(world, *file, 0, "new"));
    ASSERT_TRUE(world.run(world.disk.rename("/a.tmp", "/a")));
    ASSERT_TRUE(world.run(world.disk.sync_directory("/")));

    world.crash();

    auto left = content(world, "/a").value();
    damaged += left != "old" && left != "new";
  });

  EXPECT_GT(damaged, 5);
}

TEST(SimulatedDisk, FilesOfBeforeTheCrashAreDead) {
  World world(1);
  auto file = open_durable(world, "/a");
  world.crash();

  char byte;
  EXPECT_EQ(write(world, *file, 0, "x").error().code, ErrorCode::Unavailable);
  EXPECT_EQ(world.run(file->read_at({&byte, 1}, 0)).error().code, ErrorCode::Unavailable);
  EXPECT_EQ(world.run(file->sync()).error().code, ErrorCode::Unavailable);
  EXPECT_EQ(world.run(file->size()).error().code, ErrorCode::Unavailable);
  EXPECT_EQ(world.run(file->truncate(0)).error().code, ErrorCode::Unavailable);
  EXPECT_TRUE(content(world, "/a"));
}

TEST(SimulatedDisk, AFailedSyncLosesDataThatALaterSyncDoesNotBringBack) {
  int lost = 0;
  for_each_seed(100, [&](std::uint64_t seed) {
    World world(seed);
    auto file = open_durable(world, "/a");
    ASSERT_TRUE(write(world, *file, 0, std::string(kSector, 'x')));
    world.disk.set_faults({.sync_fails = 1});
    EXPECT_EQ(world.run(file->sync()).error().code, ErrorCode::IoError);
    world.disk.set_faults({});

    EXPECT_EQ(content(world, "/a").value(), std::string(kSector, 'x'));
    ASSERT_TRUE(world.run(file->sync()));
    world.crash();

    lost += content(world, "/a").value() != std::string(kSector, 'x');
  });

  EXPECT_GT(lost, 10);
}

TEST(SimulatedDisk, AFailedWriteLeavesARandomPrefix) {
  std::set<std::size_t> lengths;
  for_each_seed(100, [&](std::uint64_t seed) {
    World world(seed);
    auto file = open(world, "/a");
    world.disk.set_faults({.write_fails = 1});
    EXPECT_EQ(write(world, *file, 0, "0123456789").error().code, ErrorCode::IoError);
    world.disk.set_faults({});

    auto left = content(world, "/a").value();
    EXPECT_TRUE(std::string_view("0123456789").starts_with(left));
    lengths.insert(left.size());
  });

  EXPECT_EQ(lengths.size(), 11U);
}

TEST(SimulatedDisk, AFaultStrikesAboutAsOftenAsPlanned) {
  World world(1);
  auto file = open(world, "/a");
  world.disk.set_faults({.read_fails = 0.1});
  int failed = 0;
  char byte;

  for (int i = 0; i < 2'000; ++i) failed += !world.run(file->read_at({&byte, 1}, 0)).has_value();

  EXPECT_NEAR(failed, 200, 60);
}

TEST(SimulatedDisk, AFullDiskTakesWhatFitsAndRecoversWhenAFileIsRemoved) {
  World world(1);
  world.disk.set_faults({.bytes_max = 100});
  auto file = open(world, "/a");
  ASSERT_TRUE(write(world, *file, 0, std::string(90, 'a')));

  auto refused = write(world, *file, 90, std::string(20, 'b'));
  auto no_room = world.run(file->allocate(101));

  EXPECT_EQ(refused.error().code, ErrorCode::ResourceExhausted);
  EXPECT_EQ(no_room.error().code, ErrorCode::ResourceExhausted);
  EXPECT_EQ(content(world, "/a")->size(), 100U);
  EXPECT_TRUE(write(world, *file, 0, std::string(100, 'c'))) << "overwriting needs no room";
  EXPECT_EQ(world.run(world.disk.free_bytes("/")).value(), 0U);
  ASSERT_TRUE(world.run(world.disk.remove("/a")));
  ASSERT_TRUE(world.run(world.disk.sync_directory("/")));
  EXPECT_EQ(world.run(world.disk.free_bytes("/")).value(), 100U);
}

Task<void> write_and_note(File& file, std::uint64_t offset, std::string name,
                          std::vector<std::string>& ended) {
  std::string_view buffers[] = {name};
  if (co_await file.write_at(buffers, offset)) ended.push_back(name);
}

TEST(SimulatedDisk, OperationsTakeTimeAndMayOvertakeOneAnother) {
  std::set<std::string> first;
  for_each_seed(50, [&](std::uint64_t seed) {
    World world(seed);
    auto file = open(world, "/a");
    world.disk.set_faults({.delay_min = 1ms, .delay_max = 5ms});
    const auto start = world.clock.mono();
    std::vector<std::string> ended;
    world.spawn(write_and_note(*file, 0, "one", ended));
    world.spawn(write_and_note(*file, 10, "two", ended));

    EXPECT_TRUE(world.run_until_idle());

    ASSERT_EQ(ended.size(), 2U);
    first.insert(ended[0]);
    EXPECT_GE(world.clock.mono() - start, 1ms);
    EXPECT_LE(world.clock.mono() - start, 5ms);
  });

  EXPECT_THAT(first, ElementsAre("one", "two"));
}

Task<void> sync_and_note(File& file, std::optional<Result<>>& outcome) {
  outcome = co_await file.sync();
}

TEST(SimulatedDisk, ASyncDoesNotCoverWhatIsWrittenWhileItRuns) {
  World world(1);
  auto file = open_durable(world, "/a");
  ASSERT_TRUE(write(world, *file, 0, "before"));
  world.disk.set_faults({.delay_min = 10ms, .delay_max = 10ms});
  std::optional<Result<>> synced;
  world.spawn(sync_and_note(*file, synced));
  world.run_for(5ms);
  world.disk.set_faults({});
  ASSERT_TRUE(write(world, *file, 6, " and during"));

  world.run_for(10ms);

  ASSERT_TRUE(synced && synced->has_value());
  EXPECT_EQ(world.disk.durable_bytes("/a"), "before");
  world.crash(CrashKeeps::Nothing);
  EXPECT_EQ(content(world, "/a").value(), "before");
}

TEST(SimulatedDisk, ASyncThatTheCrashInterruptsIsNotAcknowledged) {
  World world(1);
  auto file = open_durable(world, "/a");
  ASSERT_TRUE(write(world, *file, 0, "x"));
  world.disk.set_faults({.delay_min = 10ms, .delay_max = 10ms});
  std::optional<Result<>> synced;
  world.spawn(sync_and_note(*file, synced));
  world.run_for(5ms);

  world.crash(CrashKeeps::Nothing);

  ASSERT_TRUE(synced);
  EXPECT_EQ(synced->error().code, ErrorCode::Unavailable);
  EXPECT_EQ(content(world, "/a").value(), "");
}

TEST(SimulatedDisk, StopsAtTheStepWherePowerIsLost) {
  World world(1);
  auto file = open_durable(world, "/a");
  world.disk.lose_power_after(2);

  EXPECT_TRUE(write(world, *file, 0, "one"));
  EXPECT_TRUE(world.run(file->sync()));
  EXPECT_FALSE(world.disk.is_down());
  EXPECT_EQ(write(world, *file, 3, "two").error().code, ErrorCode::Unavailable);
  EXPECT_TRUE(world.disk.is_down());
  EXPECT_EQ(world.run(world.disk.list("/")).error().code, ErrorCode::Unavailable);
  EXPECT_EQ(world.run(world.disk.open("/a", OpenMode::Read)).error().code, ErrorCode::Unavailable);

  world.crash(CrashKeeps::Nothing);
  EXPECT_EQ(content(world, "/a").value(), "one");
}

TEST(SimulatedDisk, FlippedBitsShowInTheContent) {
  World world(1);
  ASSERT_TRUE(world.run(write_file_durably(world.disk, "/a", "aaaa")));

  world.disk.flip_bit("/a", 1, 1);
  auto flipped = content(world, "/a").value();
  auto where = world.disk.flip_random_bit("/a");

  EXPECT_EQ(flipped, "acaa");
  auto now = content(world, "/a").value();
  EXPECT_NE(now[where], flipped[where]);
  EXPECT_EQ(world.disk.durable_bytes("/a"), now);
}

TEST(SimulatedDisk, LocksExcludeAndEndWithTheirHandleOrTheCrash) {
  World world(1);
  auto first = world.run(world.disk.lock("/lock"));
  ASSERT_TRUE(first);
  EXPECT_EQ(world.run(world.disk.lock("/lock")).error().code, ErrorCode::AlreadyExists);

  first->reset();
  auto second = world.run(world.disk.lock("/lock"));
  ASSERT_TRUE(second);
  world.crash();
  auto third = world.run(world.disk.lock("/lock"));
  second->reset();

  EXPECT_TRUE(third);
  EXPECT_EQ(world.run(world.disk.lock("/lock")).error().code, ErrorCode::AlreadyExists);
}

TEST(SimulatedDisk, CountsStepsAndBytes) {
  World world(1);
  auto file = open_durable(world, "/a");
  ASSERT_TRUE(write(world, *file, 0, "12345"));
  ASSERT_TRUE(world.run(file->sync()));

  const auto& counters = world.disk.counters();
  EXPECT_EQ(counters.writes, 1U);
  EXPECT_EQ(counters.bytes_written, 5U);
  EXPECT_EQ(counters.syncs, 1U);
  EXPECT_EQ(counters.name_changes, 1U);
  EXPECT_EQ(counters.directory_syncs, 1U);
  EXPECT_EQ(counters.steps(), 4U);
}

Task<void> open_into(World& world, std::unique_ptr<File>& file) {
  auto opened = co_await world.disk.open("/a", OpenMode::CreateOrOpen);
  if (opened) file = std::move(*opened);
}

TEST(SimulatedDisk, TwoWhoCreateOneNameAtOnceGetOneFile) {
  std::unique_ptr<File> one;
  std::unique_ptr<File> two;
  World world(1);
  world.disk.set_faults({.delay_min = 1ms, .delay_max = 5ms});
  world.spawn(open_into(world, one));
  world.spawn(open_into(world, two));
  EXPECT_TRUE(world.run_until_idle());

  ASSERT_TRUE(one && two);
  ASSERT_TRUE(write(world, *one, 0, "shared"));

  EXPECT_EQ(world.run(two->size()).value(), 6U);
}

// Everything that a run of random operations shows, as text.
std::string random_history(std::uint64_t seed) {
  World world(seed);
  world.disk.set_faults(
      {.read_fails = 0.05, .write_fails = 0.1, .sync_fails = 0.1, .delay_max = 3ms});
  std::string story;
  for (int life = 0; life < 3; ++life) {
    auto file = world.run(world.disk.open("/a", OpenMode::CreateOrOpen));
    for (int i = 0; i < 20 && file; ++i) {
      auto bytes = world.random.bytes(world.random.below(2000));
      story += write(world, **file, world.random.below(5000), bytes) ? "w" : "-";
      if (world.random.below(3) == 0) story += world.run((*file)->sync()) ? "s" : "!";
    }
    story += fmt::format(" {} ", (world.clock.mono() - MonoTime()).count());
    world.crash();
    auto left = content(world, "/a");
    story += left ? *left : left.error().message;
  }
  return story;
}

TEST(SimulatedDisk, RepeatsItselfExactlyForTheSameSeed) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    EXPECT_EQ(random_history(seed), random_history(seed)) << seed;
  }
  EXPECT_NE(random_history(1), random_history(2));
}

}  // namespace
}  // namespace weft
