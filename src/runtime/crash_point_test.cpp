#include "runtime/crash_point.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace weft {
namespace {

using testing::IsSupersetOf;

CrashPoint first_point("test.first");
CrashPoint second_point("test.second");

// How a process ended that was told to crash at `wanted` and then came to the second point thrice.
int end_of_process(const char* wanted) {
  auto child = ::fork();
  if (child == 0) {
    ::setenv("WEFT_CRASH_AT", wanted, 1);
    CrashPoint point("test.late");
    for (int i = 0; i < 3; ++i) point.reached();
    ::_exit(7);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(CrashPoint, ListsAllPointsOfTheProgram) {
  EXPECT_THAT(CrashPoint::all(), IsSupersetOf({"test.first", "test.second"}));
}

TEST(CrashPoint, DoesNothingUnlessItIsNamed) {
  first_point.reached();
  second_point.reached();
  auto status = end_of_process("test.other");

  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

TEST(CrashPoint, KillsTheProcessAtTheArrivalThatWasAsked) {
  for (const char* wanted : {"test.late", "test.late:3"}) {
    auto status = end_of_process(wanted);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << wanted;
  }
  auto status = end_of_process("test.late:4");
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

TEST(CrashPoint, KnowsWhetherTheWantedPointExists) {
  EXPECT_TRUE(CrashPoint::is_wanted_known());

  ::setenv("WEFT_CRASH_AT", "test.first:12", 1);
  EXPECT_TRUE(CrashPoint::is_wanted_known());
  ::setenv("WEFT_CRASH_AT", "test.frist", 1);
  EXPECT_FALSE(CrashPoint::is_wanted_known());
  ::unsetenv("WEFT_CRASH_AT");
}

}  // namespace
}  // namespace weft
