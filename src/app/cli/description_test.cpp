#include "app/cli/description.h"

#include <gmock/gmock.h>

#include "app/cli/commands.h"
#include "base/json.h"

namespace weft::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

CommandLine described() {
  auto nothing = [](const Arguments&) { return 0; };
  Command list{"stream list",
               "Lists streams, it's quick",
               "",
               {{"output", "table|json", "form", "table", false}},
               nothing};
  Command mend{"mend",
               "Mends `it`: a [test]",
               "<folder> [file...]",
               {{"path", "FILE", "a\\b", "", true}},
               nothing};
  return CommandLine({list, mend}, {});
}

TEST(Description, ReadsWhatAValueCanBeFromItsName) {
  EXPECT_EQ(value_shape("FILE"), ValueShape::File);
  EXPECT_EQ(value_shape("folder"), ValueShape::Folder);
  EXPECT_EQ(value_shape("table|json|yaml"), ValueShape::Choice);
  EXPECT_EQ(value_shape("PATH=VALUE"), ValueShape::Free);
  EXPECT_THAT(choices_of("table|json"), ElementsAre("table", "json"));
}

TEST(Description, ReadsPositionalArguments) {
  auto all = positionals_of(described().commands()[1]);

  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "folder");
  EXPECT_FALSE(all[0].optional || all[0].repeats);
  EXPECT_EQ(all[1].name, "file");
  EXPECT_TRUE(all[1].optional && all[1].repeats);
}

TEST(Description, OffersTheSameWordsInEveryShell) {
  for (const auto& script :
       {bash_completion(described()), zsh_completion(described()), fish_completion(described())}) {
    EXPECT_THAT(script, HasSubstr("' stream'"));
    EXPECT_THAT(script, HasSubstr("'stream list'"));
    EXPECT_THAT(script, HasSubstr("table json"));
  }
}

TEST(Description, QuotesForTheShell) {
  EXPECT_THAT(zsh_completion(described()), HasSubstr("'list:Lists streams, it'\\''s quick'"));
  EXPECT_THAT(zsh_completion(described()), HasSubstr("'mend:Mends `it`\\: a \\[test\\]'"));
  EXPECT_THAT(fish_completion(described()), HasSubstr("'Lists streams, it\\'s quick'"));
  EXPECT_THAT(fish_completion(described()), HasSubstr("'a\\\\b'"));
}

TEST(Description, WritesTextThatRoffDoesNotTakeForCommands) {
  auto page = manual_page(described());

  EXPECT_THAT(page, HasSubstr("Lists streams, it\\(aqs quick."));
  EXPECT_THAT(page, HasSubstr("Mends \\(gait\\(ga: a [test]."));
  EXPECT_THAT(page, HasSubstr("\\fB\\-\\-path\\fR \\fIFILE\\fR"));
  EXPECT_THAT(page, HasSubstr("a\\eb; may be given several times."));
}

TEST(Description, TellsAFlagThatManyCommandsHaveOnce) {
  auto page = manual_page(CommandLine(all_commands(), {}));

  auto entry = std::string(".TP\n\\fB\\-\\-server\\fR");
  auto first = page.find(entry);
  ASSERT_NE(first, std::string::npos);
  EXPECT_GT(first, page.find(".SH OPTIONS"));
  EXPECT_EQ(page.find(entry, first + 1), std::string::npos);
}

TEST(Description, IsJsonForPrograms) {
  auto json = JsonDocument::parse(description_json(described()));

  ASSERT_TRUE(json);
  const auto& commands = json->root().find("commands")->elements();
  ASSERT_EQ(commands.size(), 2u);
  EXPECT_EQ(commands[1].find("name")->as_string(), "mend");
  EXPECT_EQ(commands[1].at_pointer("/flags/0/variable")->as_string(), "WEFT_PATH");
}

TEST(Description, HoldsEveryCommandOfTheProgram) {
  CommandLine line(all_commands(), {});
  auto page = manual_page(line);
  auto bash = bash_completion(line);

  for (const auto& command : line.commands()) {
    EXPECT_EQ(line.named({command.name}) != nullptr, command.name.find(' ') == std::string::npos);
    EXPECT_THAT(bash, HasSubstr("'" + command.name + "') _weft_words"));
  }
  EXPECT_THAT(page, HasSubstr(".SS \\fBweft client key create\\fR"));
}

}  // namespace
}  // namespace weft::app
