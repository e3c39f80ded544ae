#include "runtime/log.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <thread>

#include "base/golden_file.h"
#include "base/json.h"
#include "base/time.h"

namespace weft {
namespace {

// Catches what is logged; a pipe, so that each write(2) can be told from the next when it is read
// back by a reader that is as fast.
class CaughtLog {
 public:
  CaughtLog() {
    EXPECT_EQ(::pipe(ends_), 0);
    set_log_descriptor(ends_[1]);
  }
  ~CaughtLog() {
    release();
    ::close(ends_[0]);
  }

  std::string read_once() {
    std::string bytes(64 * 1024, '\0');
    auto got = ::read(ends_[0], bytes.data(), bytes.size());
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }

  std::string read_all() {
    release();
    std::string all;
    for (auto part = read_once(); !part.empty(); part = read_once()) all += part;
    return all;
  }

 private:
  void release() {
    if (ends_[1] < 0) return;
    set_log_descriptor(STDERR_FILENO);
    ::close(ends_[1]);
    ends_[1] = -1;
  }
  int ends_[2];
};

TEST(Log, WritesOneJsonObjectPerLineWithTimeLevelModuleAndMessage) {
  CaughtLog caught;

  log_warn("gateway", "route added", {{"route", "orders"}, {"count", 3}, {"live", true}});

  auto line = caught.read_once();
  ASSERT_TRUE(line.ends_with("}\n"));
  line.pop_back();
  auto document = JsonDocument::parse(line);
  ASSERT_TRUE(document) << document.error().message;
  const auto& root = document->root();
  EXPECT_TRUE(parse_rfc3339(root.find("time")->as_string()));
  EXPECT_EQ(root.find("level")->as_string(), "warn");
  EXPECT_EQ(root.find("module")->as_string(), "gateway");
  EXPECT_EQ(root.find("message")->as_string(), "route added");
  EXPECT_EQ(root.find("route")->as_string(), "orders");
  EXPECT_EQ(root.find("count")->raw(), "3");
  EXPECT_EQ(root.find("live")->raw(), "true");
}

// Compared but for its time, which is now.
TEST(LogLineFormat, IsWhatWasCommitted) {
  CaughtLog caught;

  log_warn("gateway", "a \"late\" order\n",
           {{"trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"},
            {"business_key", "SO-4711"},
            {"ms", 12},
            {"live", true}});

  auto line = caught.read_once();
  constexpr std::string_view kTime = R"({"time":"2025-11-28T08:00:00.123Z")";
  line.replace(0, kTime.size(), kTime);
  EXPECT_EQ(golden_file_or_new("log-line-1.jsonl", line), line);
}

TEST(Log, EscapesWhatWouldBreakTheLine) {
  CaughtLog caught;

  log_info("x", "a\"b\nc", {{"field", "line\r\nbreak\x01"}, {"odd\nname", "\xff"}});

  auto text = caught.read_all();
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  text.pop_back();
  auto document = JsonDocument::parse(text);
  ASSERT_TRUE(document) << document.error().message;
  EXPECT_EQ(document->root().find("message")->as_string(), "a\"b\nc");
  EXPECT_EQ(document->root().find("field")->as_string(), "line\r\nbreak\x01");
  EXPECT_EQ(document->root().find("odd\nname")->as_string(), "\xEF\xBF\xBD");
}

TEST(Log, LeavesOutWhatIsBelowTheLevel) {
  CaughtLog caught;

  log_debug("x", "hidden");
  set_log_level(LogLevel::Error);
  log_warn("x", "hidden too");
  log_error("x", "shown");
  set_log_level(LogLevel::Info);

  auto text = caught.read_all();
  EXPECT_THAT(text, testing::HasSubstr("shown"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("hidden")));
}

TEST(Log, KeepsLinesWholeWhenThreadsLogAtOnce) {
  CaughtLog caught;
  constexpr int kThreads = 4;
  constexpr int kLines = 50;  // together less than the pipe holds

  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < kLines; ++i) log_info("x", std::string(100, 'm'), {{"number", i}});
    });
  }
  for (auto& thread : threads) thread.join();

  auto text = caught.read_all();
  int lines = 0;
  for (std::string_view rest = text; !rest.empty(); ++lines) {
    auto end = rest.find('\n');
    ASSERT_NE(end, std::string_view::npos);
    EXPECT_TRUE(JsonDocument::parse(std::string(rest.substr(0, end))));
    rest.remove_prefix(end + 1);
  }
  EXPECT_EQ(lines, kThreads * kLines);
}

}  // namespace
}  // namespace weft
