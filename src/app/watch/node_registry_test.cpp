#include "app/watch/node_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/metrics.h"
#include "runtime/run_until_done.h"
#include "storage/sqlite_database.h"
#include "storage/temporary_folder.h"

namespace weft::app {
namespace {

using testing::ElementsAre;

class HandClock final : public Clock {
 public:
  WallTime at = from_unix_ms(1'764'316'800'000);
  WallTime now() const override { return at; }
  MonoTime mono() const override { return {}; }
  Task<Result<>> sleep_until(MonoTime) override { co_return Result<>(); }
};

// Two nodes on one database; a simulated outage is a registry without a turn.
class NodeRegistryTest : public testing::Test {
 protected:
  NodeRegistryTest() {
    SqliteOptions options(folder.file("state.db"));
    database = run_until_done(SqliteDatabase::open(files, metrics, options)).value();
    std::vector<Migration> migrations{NodeRegistry::migration()};
    ENSURE(run_until_done(database->migrate(migrations, clock.now())).has_value(), "migrated");
  }

  NodeEntry entry(std::string name, std::string url) {
    NodeEntry made;
    made.name = std::move(name);
    made.run = fmt::format("run-{}", ++runs);
    made.url = std::move(url);
    made.roles = "gateway";
    made.version = "1.2.3";
    made.started = clock.now();
    return made;
  }
  std::unique_ptr<NodeRegistry> node(std::string name, std::string url) {
    return std::make_unique<NodeRegistry>(
        database.get(), clock, entry(std::move(name), std::move(url)), NodeRegistryTimes());
  }
  static void turn(NodeRegistry& registry) {
    auto refreshed = run_until_done(registry.refresh());
    ASSERT_TRUE(refreshed) << refreshed.error().message;
  }
  static std::vector<std::string> seen_by(const NodeRegistry& registry) {
    std::vector<std::string> all;
    for (const auto& node : registry.nodes()) {
      all.push_back(fmt::format("{} {}{}{}", node.name, node.url, node.is_self ? " self" : "",
                                node.is_gone ? " gone" : ""));
    }
    return all;
  }

  TemporaryFolder folder;
  PosixFileSystem files;
  Metrics metrics;
  HandClock clock;
  std::unique_ptr<SqliteDatabase> database;
  int runs = 0;
};

TEST_F(NodeRegistryTest, NodesOfOneDatabaseFindEachOther) {
  auto a = node("a", "http://a:8080");
  auto b = node("b", "http://b:8080");
  turn(*a);
  turn(*b);
  turn(*a);

  EXPECT_THAT(seen_by(*a), ElementsAre("a http://a:8080 self", "b http://b:8080"));
  EXPECT_THAT(seen_by(*b), ElementsAre("a http://a:8080", "b http://b:8080 self"));
  const auto other = a->nodes()[1];
  EXPECT_EQ(other.roles, "gateway");
  EXPECT_EQ(other.version, "1.2.3");
  EXPECT_EQ(other.started, clock.now());
}

TEST_F(NodeRegistryTest, ANodeThatIsNotSeenForAWhileIsGoneAndLaterForgotten) {
  auto a = node("a", "http://a:8080");
  auto b = node("b", "http://b:8080");
  turn(*b);
  clock.at += 31s;
  turn(*a);
  EXPECT_THAT(seen_by(*a), ElementsAre("a http://a:8080 self", "b http://b:8080 gone"));

  clock.at += 7 * 24h;
  turn(*a);

  EXPECT_THAT(seen_by(*a), ElementsAre("a http://a:8080 self"));
}

TEST_F(NodeRegistryTest, ANodeThatIsStartedAgainIsThereOnce) {
  auto a = node("a", "http://a:8080");
  turn(*node("b", "http://b:8080"));
  auto again = node("b", "http://b:8080");
  turn(*again);
  turn(*a);

  EXPECT_THAT(seen_by(*a), ElementsAre("a http://a:8080 self", "b http://b:8080"));
}

TEST_F(NodeRegistryTest, ANodeThatMovedHidesWhereItWas) {
  auto a = node("a", "http://a:8080");
  turn(*node("b", "http://b:8080"));
  clock.at += 31s;
  auto moved = node("b", "http://b:9999");
  turn(*moved);
  turn(*a);

  EXPECT_THAT(seen_by(*a), ElementsAre("a http://a:8080 self", "b http://b:9999"));
}

TEST_F(NodeRegistryTest, WithoutASharedDatabaseANodeIsAlone) {
  NodeRegistry alone(nullptr, clock, entry("a", "http://a:8080"), NodeRegistryTimes());

  turn(alone);

  EXPECT_THAT(seen_by(alone), ElementsAre("a http://a:8080 self"));
}

}  // namespace
}  // namespace weft::app
