#include "runtime/world.h"

#include <gmock/gmock.h>

namespace weft {
namespace {

using testing::ElementsAre;

Task<void> append_every_second(World& world, std::vector<std::string>& story) {
  auto file = co_await world.disk.open("/log", OpenMode::CreateOrOpen);
  if (!file) co_return;
  [[maybe_unused]] auto named = co_await world.disk.sync_directory("/");
  for (std::uint64_t i = 0;; ++i) {
    std::string_view buffers[] = {"x"};
    auto written = co_await (*file)->write_at(buffers, i);
    if (written) written = co_await (*file)->sync();
    if (!written) break;
    story.push_back("appended");
    if (!co_await world.clock.sleep_for(1s)) break;
  }
  story.push_back("ended");
}

TEST(World, RunsSpawnedTasksWhileTimePasses) {
  std::vector<std::string> story;
  World world(1);
  world.spawn(append_every_second(world, story));

  world.run_for(1500ms);

  EXPECT_THAT(story, ElementsAre("appended", "appended"));
}

TEST(World, ACrashEndsTheTasksAndTheDiskKeepsWhatWasSynced) {
  std::vector<std::string> story;
  World world(1);
  world.spawn(append_every_second(world, story));
  world.run_for(2500ms);

  world.crash();
  world.run_for(10s);

  EXPECT_THAT(story, ElementsAre("appended", "appended", "appended", "ended"));
  EXPECT_EQ(world.run(read_file(world.disk, "/log", 100)).value(), "xxx");
}

TEST(World, StartsANewLifeAfterACrash) {
  std::vector<std::string> story;
  World world(1);
  world.spawn(append_every_second(world, story));
  world.run_for(500ms);
  world.crash();
  story.clear();

  world.spawn(append_every_second(world, story));
  world.run_for(500ms);

  EXPECT_THAT(story, ElementsAre("appended"));
}

Task<Result<int>> answer_after(World& world, Duration wait) {
  CO_CHECK(co_await world.clock.sleep_for(wait));
  co_return 42;
}

TEST(World, RunsATaskToItsEndInVirtualTime) {
  World world(1);
  const auto start = world.clock.mono();

  EXPECT_EQ(world.run(answer_after(world, 3h)).value(), 42);

  EXPECT_EQ(world.clock.mono() - start, 3h);
}

TEST(World, TheEndOfTheWorldEndsItsTasks) {
  std::vector<std::string> story;
  {
    World world(1);
    world.spawn(append_every_second(world, story));
    world.run_for(500ms);
  }

  EXPECT_EQ(story.back(), "ended");
}

TEST(World, WhatATestDrawsDoesNotChangeWhatTheDiskDoes) {
  auto survivors = [](bool draws) {
    World world(3);
    if (draws) world.random.next();
    auto file = world.run(world.disk.open("/a", OpenMode::CreateOrOpen));
    std::string bytes(20 * 512, 'x');
    std::string_view buffers[] = {bytes};
    EXPECT_TRUE(world.run((*file)->write_at(buffers, 0)));
    EXPECT_TRUE(world.run(world.disk.sync_directory("/")));
    world.crash();
    return world.run(read_file(world.disk, "/a", 1 << 20)).value();
  };

  EXPECT_EQ(survivors(false), survivors(true));
}

}  // namespace
}  // namespace weft
