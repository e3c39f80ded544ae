#include "app/cli/arguments.h"

#include <gmock/gmock.h>

namespace weft::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Recorded {
  std::vector<std::string> positional;
  std::string from;
  bool follow = false;
  int runs = 0;
};

CommandLine command_line(Recorded& seen) {
  Command list{
      "stream list", "Lists streams", "", {}, [&seen](const Arguments&) { return ++seen.runs, 0; }};
  Command consume{"stream consume",
                  "Reads records",
                  "<stream>",
                  {{"from", "offset", "where to start", "latest", false},
                   {"follow", "", "wait for more", "", false}},
                  [&seen](const Arguments& arguments) {
                    seen.positional = arguments.positional();
                    seen.from = arguments.get("from");
                    seen.follow = arguments.has("follow");
                    return 0;
                  }};
  return CommandLine({list, consume}, {{"output", "table|json", "form", "table", false}});
}

TEST(CommandLine, GivesFlagsAndPositionalsToTheNamedCommand) {
  Recorded seen;

  auto status =
      command_line(seen).run({"stream", "consume", "orders", "--from=earliest", "--follow"});

  EXPECT_EQ(status, 0);
  EXPECT_THAT(seen.positional, ElementsAre("orders"));
  EXPECT_EQ(seen.from, "earliest");
  EXPECT_TRUE(seen.follow);
}

TEST(CommandLine, FallsBackToTheDefault) {
  Recorded seen;

  command_line(seen).run({"stream", "consume", "orders"});

  EXPECT_EQ(seen.from, "latest");
  EXPECT_FALSE(seen.follow);
}

TEST(CommandLine, TakesTheEnvironmentBeforeTheDefault) {
  Recorded seen;
  setenv("WEFT_FROM", "17", 1);

  command_line(seen).run({"stream", "consume", "orders"});
  unsetenv("WEFT_FROM");

  EXPECT_EQ(seen.from, "17");
}

TEST(CommandLine, SuggestsTheNearestCommand) {
  Recorded seen;
  testing::internal::CaptureStderr();

  auto status = command_line(seen).run({"stream", "lsit"});

  EXPECT_EQ(status, 1);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("weft stream list"));
}

TEST(CommandLine, RefusesUnknownRepeatedAndValuelessFlags) {
  Recorded seen;
  auto line = command_line(seen);
  testing::internal::CaptureStderr();

  EXPECT_EQ(line.run({"stream", "consume", "x", "--form", "1"}), 1);
  EXPECT_EQ(line.run({"stream", "consume", "x", "--from", "1", "--from", "2"}), 1);
  EXPECT_EQ(line.run({"stream", "consume", "x", "--from"}), 1);
  EXPECT_EQ(line.run({"stream", "list", "surplus"}), 1);

  auto said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("did you mean --from?"));
  EXPECT_THAT(said, HasSubstr("--from is given twice"));
  EXPECT_THAT(said, HasSubstr("--from needs a value"));
  EXPECT_THAT(said, HasSubstr("takes no argument 'surplus'"));
  EXPECT_EQ(seen.runs, 0);
}

}  // namespace
}  // namespace weft::app
