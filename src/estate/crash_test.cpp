// The estate of a process that is killed in the middle of its changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "estate/estate_fixture.h"

namespace weft::estate {
namespace {

constexpr const char* kFolderVariable = "WEFT_CRASH_TEST_FOLDER";

// Applies one change after another and tells each generation on standard output, until it is
// killed.
TEST(Crash, DISABLED_Victim) {
  const char* folder = std::getenv(kFolderVariable);
  ASSERT_NE(folder, nullptr);
  EstateWorld world(folder);
  for (;;) {
    auto generation = world.estate->current()->generation();
    auto owner = fmt::format("owner: o{}", generation);
    auto applied =
        world.apply(stream_yaml("same", 1, owner) + stream_yaml(fmt::format("s{}", generation)));
    ASSERT_TRUE(applied) << applied.error().message;
    auto line = fmt::format("applied {}\n", applied->generation);
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) return;
  }
}

// A process that runs the victim over a folder.
class Victim {
 public:
  explicit Victim(const std::string& folder) {
    int ends[2];
    ENSURE(::pipe(ends) == 0, "a pipe");
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::close(ends[0]);
      ::setenv(kFolderVariable, folder.c_str(), 1);
      ::execl("/proc/self/exe", "victim", "--gtest_filter=Crash.DISABLED_Victim",
              "--gtest_also_run_disabled_tests", static_cast<char*>(nullptr));
      ::_exit(127);
    }
    ::close(ends[1]);
    output_ = ::fdopen(ends[0], "r");
  }
  ~Victim() { std::fclose(output_); }

  // The next generation that it tells.
  std::uint64_t next_generation() {
    char line[256];
    while (std::fgets(line, sizeof line, output_) != nullptr) {
      std::string_view text(line);
      if (!text.starts_with("applied ")) continue;
      return std::strtoull(line + 8, nullptr, 10);
    }
    return 0;
  }

  // Kills it and returns the last generation that it told, `known` or a later one.
  std::uint64_t kill(std::uint64_t known) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    while (auto later = next_generation()) known = later;
    return known;
  }

 private:
  pid_t process_ = -1;
  std::FILE* output_ = nullptr;
};

TEST(Crash, LosesNoGenerationThatWasAnsweredAndLeavesNoneHalfDone) {
  TemporaryFolder folder;
  std::uint64_t last = 0;
  for (int round = 0; round < 8; ++round) {
    SCOPED_TRACE(round);
    Victim victim(folder.path());
    std::uint64_t told = 0;
    // At another moment of its work each time.
    for (int i = 0; i <= round % 4; ++i) told = victim.next_generation();
    std::atomic<int> spin{0};
    while (spin.fetch_add(1) < round * 300'000) {
    }
    told = victim.kill(told);
    ASSERT_GT(told, last);

    EstateWorld world(folder.path());
    auto view = world.estate->current();
    last = view->generation();

    EXPECT_GE(last, told);
    EXPECT_LE(last, told + 1);
    EXPECT_EQ(view->size(), last + 1);  // one stream per generation, and the shared one
    EXPECT_EQ(view->find("default", "Stream", "same")->owner(), fmt::format("o{}", last - 1));
    EXPECT_EQ(world.rows("SELECT * FROM estate_generation").size(), last);
    EXPECT_EQ(world.rows("SELECT * FROM estate_change").size(), 2 * last);
    auto report = world.verify();
    EXPECT_TRUE(report.intact) << report.reason;
    EXPECT_EQ(report.head.count, 3 * last);
    EXPECT_THAT(world.generation_json(),
                testing::HasSubstr(fmt::format("\"generation\":{},", last)));
  }
}

}  // namespace
}  // namespace weft::estate
