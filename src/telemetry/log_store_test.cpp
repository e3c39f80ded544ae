#include "telemetry/log_store.h"

#include <gmock/gmock.h>

#include "base/json.h"
#include "runtime/run_until_done.h"
#include "runtime/simulated_clock.h"
#include "runtime/simulated_disk.h"

namespace weft::telemetry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr WallTime kNight{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + 1h};

struct LogStoreTest : testing::Test {
  IoContext loop{1};
  SimulatedClock clock{loop};
  SimulatedFileSystem files{clock, 1};
  LogStoreOptions options{"data/logs", 8 * 1024 * 1024, 24h, 64 * 1024};
  WallTime now = kNight;
  std::unique_ptr<LogStore> store = start();

  std::unique_ptr<LogStore> start() {
    auto made = std::make_unique<LogStore>(files, options);
    EXPECT_TRUE(made->open());
    return made;
  }
  void restart() {
    store.reset();
    store = start();
  }
  void say(std::string_view message, std::string_view level = "info", std::string_view more = "") {
    store->take(LogLevel::Info,
                fmt::format(R"({{"time":"{}","level":"{}","module":"gateway","message":"{}"{}}})"
                            "\n",
                            to_rfc3339(now), level, message, more));
    now += 1s;
  }
  std::vector<std::string> found(const LogQuery& query) {
    std::vector<std::string> messages;
    auto page = store->search(query, now);
    EXPECT_TRUE(page) << page.error().message;
    if (!page) return messages;
    for (const auto& line : page->lines) {
      auto document = JsonDocument::parse(std::string(line.json));
      messages.emplace_back(document->root().find("message")->as_string());
    }
    return messages;
  }
};

TEST_F(LogStoreTest, GivesBackWhatWasSaidNewestFirstAlsoAfterARestart) {
  say("first");
  say("second");

  EXPECT_THAT(found({}), ElementsAre("second", "first"));
  restart();
  say("third");
  EXPECT_THAT(found({}), ElementsAre("third", "second", "first"));
  EXPECT_THAT(found({.limit = 1}), ElementsAre("third"));
}

TEST_F(LogStoreTest, SelectsByLevelModuleTimeTextTraceAndBusinessKey) {
  say("plain", "debug");
  say("of a trace", "warn", R"(,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736")");
  say("of an order", "error", R"(,"business_key":"SO-4711")");

  EXPECT_THAT(found({.level = LogLevel::Warn}), ElementsAre("of an order", "of a trace"));
  EXPECT_THAT(found({.module = "gateway"}), ElementsAre("of an order", "of a trace", "plain"));
  EXPECT_THAT(found({.module = "delivery"}), IsEmpty());
  EXPECT_THAT(found({.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"}), ElementsAre("of a trace"));
  EXPECT_THAT(found({.text = "OF AN"}), ElementsAre("of an order"));
  EXPECT_THAT(found({.business_key = "SO-4711"}), ElementsAre("of an order"));
  EXPECT_THAT(
      found({.business_key = "SO-4711", .key_traces = {"4bf92f3577b34da6a3ce929d0e0e4736"}}),
      ElementsAre("of an order", "of a trace"));
  EXPECT_THAT(found({.since = kNight + 1s, .until = kNight + 2s}), ElementsAre("of a trace"));
}

TEST_F(LogStoreTest, PagesBackwardsAndFollowsForwards) {
  for (int i = 0; i < 10; ++i) say(std::to_string(i));
  LogQuery query;
  query.limit = 4;
  auto page = store->search(query, now);
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->has_more);
  auto end = page->end;

  query.before = page->lines.back().position;
  EXPECT_THAT(found(query), ElementsAre("5", "4", "3", "2"));

  LogQuery follow;
  follow.after = end;
  EXPECT_THAT(found(follow), IsEmpty());
  say("10");
  say("11");
  follow.limit = 1;
  page = store->search(follow, now);
  EXPECT_TRUE(page->has_more);
  EXPECT_THAT(found(follow), ElementsAre("10"));
  follow.after = page->end;
  EXPECT_THAT(found(follow), ElementsAre("11"));
}

TEST_F(LogStoreTest, StaysWithinItsBytesAndItsAge) {
  options.bytes_max = 512 * 1024;
  restart();
  for (int i = 0; i < 10'000; ++i) {
    say(fmt::format("{} {}", i, std::string(100, 'x')));
    if (i % 100 == 0) {
      ASSERT_TRUE(store->write_gathered(now));
    }
  }
  ASSERT_TRUE(store->write_gathered(now));

  EXPECT_LE(store->bytes(), options.bytes_max);
  EXPECT_GT(store->bytes(), options.bytes_max / 2);
  EXPECT_EQ(store->dropped_lines(), 0U);
  EXPECT_THAT(found({.limit = 1}), ElementsAre(testing::StartsWith("9999 ")));
  ASSERT_TRUE(store->write_gathered(now + 25h));
  EXPECT_EQ(store->bytes(), 0U);
}

TEST_F(LogStoreTest, LeavesOutALineThatWasCut) {
  say("whole");
  ASSERT_TRUE(store->write_gathered(now));
  store.reset();
  auto name = run_until_done(files.list(options.folder)).value().at(0);
  auto file = run_until_done(files.open(options.folder + "/" + name, OpenMode::ReadWrite)).value();
  const std::string_view cut = R"({"time":"2026)";
  ASSERT_TRUE(run_until_done(file->write_at({&cut, 1}, run_until_done(file->size()).value())));

  store = start();
  say("next");

  EXPECT_THAT(found({}), ElementsAre("next", "whole"));
}

TEST_F(LogStoreTest, DropsAndCountsWhatTheDiskDoesNotTake) {
  for (int i = 0; i < 2'000; ++i) say(std::string(100, 'x'));
  EXPECT_GT(store->dropped_lines(), 1'000U);
  auto before = store->dropped_lines();
  DiskFaults faults;
  faults.write_fails = 1;
  files.set_faults(faults);
  EXPECT_FALSE(store->write_gathered(now));
  EXPECT_GT(store->dropped_lines(), before);
  files.set_faults({});

  say("after");

  EXPECT_THAT(found({.text = "after"}), ElementsAre("after"));
}

TEST_F(LogStoreTest, CountsLinesForWhichNoFileCouldBeMade) {
  DiskFaults faults;
  faults.name_fails = 1;
  files.set_faults(faults);
  say("first");
  EXPECT_FALSE(store->write_gathered(now));
  EXPECT_EQ(store->dropped_lines(), 1U);
}

TEST_F(LogStoreTest, IsWhereLogLinesGo) {
  set_log_descriptor(-1);
  set_log_sink(store.get());
  log_warn("delivery", "refused", {{"business_key", "SO-1"}});
  set_log_sink(nullptr);
  log_warn("delivery", "not seen");
  set_log_descriptor(2);

  EXPECT_THAT(found({.level = LogLevel::Warn, .module = "delivery", .business_key = "SO-1"}),
              ElementsAre("refused"));
  EXPECT_THAT(found({.text = "not seen"}), IsEmpty());
}

}  // namespace
}  // namespace weft::telemetry
