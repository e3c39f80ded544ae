// kill -9 of a real process at every named crash point: this program starts itself again as the
// victim, which appends until it kills itself; then the log is opened here and must hold all that
// was acknowledged.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <set>

#include "eventlog/embedded/log_test_bench.h"
#include "runtime/crash_point.h"

extern char** environ;

namespace weft::eventlog {
namespace {

using ::testing::IsSupersetOf;

constexpr const char* kFolderVariable = "WEFT_TEST_CRASH_FOLDER";

void set_limits(LogOptions& options) {
  options.wal_file_bytes = 64 * 1024;
  options.maintenance_interval = 20ms;
  options.compaction_bytes_min = 1;
}

// Appends and notes, in a file beside the log, what was acknowledged.
void append_all(LogOnDisk& node, const std::string& notes, int from, int to) {
  auto known = node.log->find_stream("default", "orders");
  auto stream = known ? known->id : node.create("orders");
  // A table of three keys, compacted all the time.
  auto settings = stream_named("table");
  settings.cleanup = Cleanup::Compact;
  auto known_table = node.log->find_stream("default", "table");
  auto table = known_table ? known_table->id : node.run(node.log->create_stream(settings))->id;
  std::ofstream out(notes, std::ios::app);
  for (int i = from; i < to; ++i) {
    auto value = std::to_string(i) + std::string(4000, 'x');
    auto appended = node.run(node.log->append(one_record(stream, value)));
    if (appended) out << i << std::endl;
    auto key = std::to_string(i % 3);
    ASSERT_TRUE(node.run(node.log->append(one_record(table, value, key))));
    // The background makes the next file when more than half of this one is used.
    if (i % 10 == 9) [[maybe_unused]]
      auto slept = node.run(node.clock.sleep_for(30ms));
    if (i % 15 == 14) [[maybe_unused]]
      auto tidied = node.run(node.log->tidy());
  }
}

void work(const std::string& folder, const std::string& name, int from, int to) {
  LogOnDisk node(folder + "/" + name);
  set_limits(node.options);
  ASSERT_TRUE(node.open().has_value());
  append_all(node, folder + "/notes-" + name, from, to);
}

// The victim; does nothing in an ordinary run of the tests. Only a new log has no old file to make
// its spare from, hence the second one.
TEST(LogCrashVictim, AppendsUntilItIsKilled) {
  const char* folder = std::getenv(kFolderVariable);
  if (folder == nullptr) return;
  work(folder, "log", 100, 160);
  work(folder, "new", 0, 30);
}

// The status with which the victim ended.
int run_victim(const std::string& folder, std::string_view point) {
  auto path = std::filesystem::read_symlink("/proc/self/exe").string();
  std::string filter = "--gtest_filter=LogCrashVictim.*";
  std::string crash = "WEFT_CRASH_AT=" + std::string(point);
  std::string where = std::string(kFolderVariable) + "=" + folder;
  char* arguments[] = {path.data(), filter.data(), nullptr};
  char* environment[] = {crash.data(), where.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t victim = 0;
  auto error = ::posix_spawn(&victim, path.c_str(), &actions, nullptr, arguments, environment);
  posix_spawn_file_actions_destroy(&actions);
  EXPECT_EQ(error, 0);
  int status = 0;
  EXPECT_EQ(::waitpid(victim, &status, 0), victim);
  return status;
}

std::set<std::string> noted(const std::string& notes) {
  std::set<std::string> values;
  std::ifstream in(notes);
  for (std::string number; in >> number;) values.insert(number + std::string(4000, 'x'));
  return values;
}

void expect_all_there(const std::string& folder, const std::string& name) {
  LogOnDisk node(folder + "/" + name);
  set_limits(node.options);
  auto opened = node.open();
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  auto promised = noted(folder + "/notes-" + name);
  EXPECT_EQ(node.log->status().damaged_ranges, 0u);
  if (promised.empty()) return;
  auto stream = node.log->find_stream("default", "orders");
  ASSERT_TRUE(stream.has_value());
  EXPECT_THAT(node.values({stream->id, 0}), IsSupersetOf(promised));
  auto table = node.log->find_stream("default", "table");
  ASSERT_TRUE(table.has_value());
  auto left = node.values({table->id, 0});
  auto latest = *std::ranges::max_element(
      promised, {}, [](const std::string& value) { return std::atoi(value.c_str()); });
  // Written before the next order was; the very last one may not have been.
  auto before = std::to_string(std::atoi(latest.c_str()) - 1) + std::string(4000, 'x');
  if (promised.contains(before)) {
    EXPECT_THAT(left, testing::Contains(before));
  }
}

TEST(LogCrash, KeepsWhatWasAcknowledgedAtEveryCrashPoint) {
  auto points = CrashPoint::all();
  ASSERT_GE(points.size(), 14u);
  for (auto point : points) {
    SCOPED_TRACE(point);
    if (!point.starts_with("log.")) continue;
    TemporaryFolder folder;
    work(folder.path(), "log", 0, 8);

    auto status = run_victim(folder.path(), point);

    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "was not reached";
    expect_all_there(folder.path(), "log");
    expect_all_there(folder.path(), "new");
  }
}

}  // namespace
}  // namespace weft::eventlog
