#include "gateway/access_log.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <thread>

#include "base/json.h"
#include "runtime/run_until_done.h"
#include "runtime/world.h"

namespace weft::gateway {
namespace {

AccessEntry forwarded(std::string_view path) {
  AccessEntry entry;
  entry.time = parse_rfc3339("2026-03-01T12:00:00Z").value();
  entry.client = "192.0.2.7";
  entry.method = "GET";
  entry.host = "api.example.com";
  entry.path = path;
  entry.route = "/orders/{id}";
  entry.status = 200;
  entry.duration = 1500us;
  entry.upstream = "10.0.0.5:8080";
  entry.upstream_time = 1200us;
  entry.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  return entry;
}

class AccessLogFile : public testing::Test {
 protected:
  std::string content(const std::string& path) {
    auto file = run_until_done(files_.open(path, OpenMode::Read));
    if (!file) return "";
    std::string bytes(run_until_done((*file)->size()).value(), '\0');
    ENSURE(run_until_done((*file)->read_at(bytes, 0)).value() == bytes.size(), "read whole");
    return bytes;
  }
  std::vector<std::string> lines(const std::string& path) {
    std::vector<std::string> all;
    std::istringstream in(content(path));
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
  }
  std::uint64_t dropped() {
    return metrics_.counter("weft_gateway_access_lines_dropped_total", "").value();
  }

  PosixFileSystem files_;
  Metrics metrics_;
  std::string folder_ = testing::TempDir() + "access-log-" + std::to_string(::getpid()) + "-" +
                        testing::UnitTest::GetInstance()->current_test_info()->name();
  std::string path_ = folder_ + "/access.log";

  void SetUp() override {
    TearDown();
    ASSERT_TRUE(run_until_done(files_.create_directories(folder_)));
  }
  // Process ids come again: what stays would be found by a later run.
  void TearDown() override {
    for (const auto& left : {folder_, folder_ + "-gone"}) std::filesystem::remove_all(left);
  }
};

TEST(AccessLine, SaysWhoAskedWhatAndWhatBecameOfIt) {
  auto line = access_line(forwarded("/orders/7"));

  ASSERT_TRUE(line.ends_with("}\n"));
  auto document = JsonDocument::parse(line);
  ASSERT_TRUE(document) << document.error().message;
  const auto& root = document->root();
  EXPECT_EQ(root.find("time")->as_string(), "2026-03-01T12:00:00.000Z");
  EXPECT_EQ(root.find("client")->as_string(), "192.0.2.7");
  EXPECT_EQ(root.find("path")->as_string(), "/orders/7");
  EXPECT_EQ(root.find("route")->as_string(), "/orders/{id}");
  EXPECT_EQ(root.find("status")->raw(), "200");
  EXPECT_EQ(root.find("duration_us")->raw(), "1500");
  EXPECT_EQ(root.find("upstream")->as_string(), "10.0.0.5:8080");
  EXPECT_EQ(root.find("upstream_us")->raw(), "1200");
}

TEST(AccessLine, LeavesOutWhatThereIsNot) {
  AccessEntry entry = forwarded("/");
  entry.upstream = entry.route = {};
  auto line = access_line(entry);

  for (auto absent : {"upstream", "upstream_us", "route", "error", "principal"}) {
    EXPECT_EQ(line.find('"' + std::string(absent) + '"'), std::string::npos) << absent;
  }
}

TEST_F(AccessLogFile, HoldsEveryLineOfEveryThreadOnceTheLogHasEnded) {
  constexpr int kThreads = 4;
  constexpr int kLines = 500;
  {
    auto log = AccessLog::open(files_, path_, metrics_).value();
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&log] {
        for (int i = 0; i < kLines; ++i) log->record(forwarded("/orders/" + std::to_string(i)));
      });
    }
  }

  auto all = lines(path_);
  EXPECT_EQ(all.size(), std::size_t{kThreads * kLines});
  for (const auto& line : all) EXPECT_TRUE(JsonDocument::parse(line)) << line;
  EXPECT_EQ(dropped(), 0u);
}

TEST_F(AccessLogFile, IsWrittenEveryNowAndThen) {
  World world(1);
  auto log = AccessLog::open(files_, path_, metrics_).value();
  log->record(forwarded("/orders/7"));
  EXPECT_EQ(lines(path_).size(), 0u);

  world.spawn(log->run(world.clock));
  world.run_for(kAccessLogInterval * 2);
  world.crash();
  while (lines(path_).empty()) std::this_thread::yield();  // the file's own thread is about it

  EXPECT_EQ(lines(path_).size(), 1u);
}

TEST_F(AccessLogFile, IsAppendedToAndMayBeRenamed) {
  AccessLog::open(files_, path_, metrics_).value()->record(forwarded("/first"));
  {
    auto log = AccessLog::open(files_, path_, metrics_).value();
    log->record(forwarded("/second"));
  }
  EXPECT_EQ(lines(path_).size(), 2u);

  auto log = AccessLog::open(files_, path_, metrics_).value();
  ASSERT_TRUE(run_until_done(files_.rename(path_, path_ + ".1")));
  log->record(forwarded("/third"));
  log.reset();

  EXPECT_EQ(lines(path_ + ".1").size(), 2u);
  EXPECT_THAT(lines(path_), testing::ElementsAre(testing::HasSubstr("/third")));
}

TEST_F(AccessLogFile, RefusesAPathThatCannotBeMade) {
  auto log = AccessLog::open(files_, folder_ + "/nowhere/access.log", metrics_);

  ASSERT_FALSE(log);
  EXPECT_THAT(log.error().message, testing::HasSubstr("gateway.accessLog"));
}

TEST_F(AccessLogFile, CountsTheLinesThatCannotBeWritten) {
  auto log = AccessLog::open(files_, path_, metrics_).value();
  ASSERT_TRUE(run_until_done(files_.rename(folder_, folder_ + "-gone")));

  for (int i = 0; i < 3; ++i) log->record(forwarded("/lost"));
  log.reset();

  EXPECT_EQ(dropped(), 3u);
}

}  // namespace
}  // namespace weft::gateway
