#include "base/document.h"

#include <gmock/gmock.h>

#include "base/json_writer.h"

namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::string> as_json(std::string yaml, std::string file = "a.yaml") {
  const auto documents = parse_documents(std::move(file), std::move(yaml));
  if (!documents) return {documents.error().message};
  std::vector<std::string> out;
  for (const SourceDocument& document : *documents)
    out.push_back(JsonWriter().value(document.root()).text());
  return out;
}

std::string yaml_refusal(std::string yaml, const DocumentLimits& limits = {}) {
  const auto documents = parse_documents("a.yaml", std::move(yaml), limits);
  return documents ? "accepted" : documents.error().message;
}

TEST(Yaml, ReadsBlockAndFlowForms) {
  EXPECT_THAT(
      as_json("kind: Stream\nspec:\n  tags: [a, 'b c', \"d\\n\"]\n  text: |\n    one\n    two\n"),
      ElementsAre(R"({"kind":"Stream","spec":{"tags":["a","b c","d\n"],"text":"one\ntwo\n"}})"));
}

TEST(Yaml, FollowsTheCoreSchemaOf12) {
  EXPECT_THAT(
      as_json("[no, yes, on, off, y, NO, 1_000, 12:30:45, 2026-03-01, 0b1, 1e3x]"),
      ElementsAre(
          R"(["no","yes","on","off","y","NO","1_000","12:30:45","2026-03-01","0b1","1e3x"])"));
  EXPECT_THAT(as_json("[null, ~, Null, NULL, true, True, FALSE, nUll, tRue, , ]").size(), 1u);
  EXPECT_THAT(as_json("[null, ~, Null, NULL, true, True, FALSE, nUll, tRue]"),
              ElementsAre(R"([null,null,null,null,true,true,false,"nUll","tRue"])"));
}

TEST(Yaml, KeepsNumbersExactAndWritesThemAsJson) {
  EXPECT_THAT(
      as_json(
          "[19.99, 123456789012345678.12, 9007199254740993, 1e400, 0x1F, 0o17, +1, .5, -.5, 5., "
          "1.E+3, 007, -0, +12e03]"),
      ElementsAre("[19.99,123456789012345678.12,9007199254740993,1e400,31,15,1,0.5,-0.5,5,1e3,7,-0,"
                  "12e03]"));
}

TEST(Yaml, ReadsQuotedScalarsAsTexts) {
  EXPECT_THAT(as_json("['1', \"true\", 'null', '']"), ElementsAre(R"(["1","true","null",""])"));
}

TEST(Yaml, TakesKeysAsTheyAreWritten) {
  EXPECT_THAT(as_json("8080: a\ntrue: b\n'': c\n\"<<\": d\n"),
              ElementsAre(R"({"8080":"a","true":"b","":"c","<<":"d"})"));
}

TEST(Yaml, LeavesEmptyPartsOut) {
  EXPECT_THAT(as_json("---\n# nothing\n---\na: 1\n---\n...\n---\n- 2\n"),
              ElementsAre(R"({"a":1})", "[2]"));
  EXPECT_THAT(as_json(""), ElementsAre());
  EXPECT_THAT(as_json("# only a comment\n"), ElementsAre());
  EXPECT_THAT(as_json("a:\nb: ~\n"), ElementsAre(R"({"a":null,"b":null})"));
}

TEST(Yaml, SharesWhatAnAliasNames) {
  EXPECT_THAT(as_json("base: &b {x: [1, &two 2]}\ncopy: *b\nn: *two\n"),
              ElementsAre(R"({"base":{"x":[1,2]},"copy":{"x":[1,2]},"n":2})"));
}

struct BadYaml {
  const char* text;
  const char* message;
};
class RefusedYaml : public testing::TestWithParam<BadYaml> {};

TEST_P(RefusedYaml, SaysFileLineAndColumn) {
  EXPECT_THAT(yaml_refusal(GetParam().text), StartsWith(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Texts, RefusedYaml,
    testing::Values(
        BadYaml{"a: 1\nb: 2\na: 3\n", "a.yaml:3:1: the key 'a' is there twice"},
        BadYaml{"x:\n  - {k: 1, \"k\": 2}\n", "a.yaml:2:12: the key 'k' is there twice"},
        BadYaml{"a: !!int 3\n", "a.yaml:1:4: tags are not supported: tag:yaml.org,2002:int"},
        BadYaml{"a: !secret x\n", "a.yaml:1:4: tags are not supported: !secret"},
        BadYaml{"b: &b {x: 1}\na:\n  <<: *b\n", "a.yaml:3:3: merge keys (<<) are not supported"},
        BadYaml{"a: *nobody\n", "a.yaml:1:4: no anchor 'nobody' is complete here"},
        BadYaml{"a: &loop [*loop]\n", "a.yaml:1:11: no anchor 'loop' is complete here"},
        BadYaml{"a:\n\t- 1\n", "a.yaml:2:1: found character that cannot start any token"},
        BadYaml{"a: [1, 2\nb: 3\n", "a.yaml:2:2: did not find expected ',' or ']'"},
        BadYaml{"? [a, b]\n: 1\n", "a.yaml:1:3: a key must be a plain text"},
        BadYaml{"?\n: 1\n", "a.yaml:1:2: a key is missing before ':'"},
        BadYaml{"a: .inf\n", "a.yaml:1:4: .inf is not a number that JSON has"},
        BadYaml{"a: 0x10000000000000000\n",
                "a.yaml:1:4: 0x10000000000000000 is larger than 64 bits"},
        BadYaml{"a: \"\xff\"\n", "a.yaml:1:5: invalid leading UTF-8 octet"},
        BadYaml{"a: 'x\n", "a.yaml:2:1: found unexpected end of stream"}));

TEST(Yaml, RefusesAnAliasBomb) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    bomb += fmt::format("a{0}: &a{0} [", i);
    for (int k = 0; k < 10; ++k) bomb += fmt::format("*a{}{}", i - 1, k == 9 ? "]\n" : ",");
  }

  EXPECT_THAT(yaml_refusal(bomb), HasSubstr("more than 1000000 values, aliases expanded"));
}

TEST(Yaml, LimitsDepthAlsoThroughAliases) {
  EXPECT_THAT(yaml_refusal(std::string(101, '[') + std::string(101, ']')),
              HasSubstr("a.yaml:1:101: nested deeper than 100 levels"));
  EXPECT_THAT(yaml_refusal(std::string(50'000, '[')), StartsWith("a.yaml:1:101: nested deeper"));
  EXPECT_THAT(yaml_refusal("a: &a [[[1]]]\nb: [[*a]]\n", {.depth_max = 5}),
              HasSubstr("2:6: nested deeper than 5 levels"));
  EXPECT_EQ(yaml_refusal("a: &a [[[1]]]\nb: [[*a]]\n", {.depth_max = 6}), "accepted");
}

TEST(Yaml, LimitsTheSizeOfAFile) {
  EXPECT_EQ(yaml_refusal("abcdef", {.bytes_max = 5}),
            "a.yaml: the file has 6 bytes, the limit is 5");
}

TEST(SourceDocument, PlacesADiagnosticAtAValue) {
  const auto documents =
      parse_documents("orders.yaml", "# café\n---\nname: é\nspec:\n  partitions: [1, 0]\n");
  ASSERT_TRUE(documents.has_value()) << documents.error().message;
  const SourceDocument& document = documents->at(0);

  const Diagnostic found =
      document.at(*document.root().at_pointer("/spec/partitions/1"), "must be positive");

  EXPECT_EQ(found.text(), "orders.yaml:5:19: must be positive (at /spec/partitions/1)");
}

TEST(SourceDocument, PlacesADiagnosticAtACopiedValueAndAnAlias) {
  const auto documents = parse_documents("a.yaml", "x: &a {n: 1}\ny: *a\n");
  ASSERT_TRUE(documents.has_value()) << documents.error().message;
  const SourceDocument& document = documents->at(0);

  const Json copy = *document.root().at_pointer("/x/n");

  EXPECT_EQ(document.at(copy, "m").pointer, "/x/n");
  EXPECT_EQ(document.at(*document.root().find("y"), "m").pointer, "/y");
}

TEST(Documents, ReadJsonFilesStrictly) {
  EXPECT_THAT(as_json("{\"a\": [1.50]}", "a.json"), ElementsAre("{\"a\": [1.50]}"));
  EXPECT_THAT(as_json("{\"a\": 1,\n \"a\": 2}", "a.json"),
              ElementsAre("a.json:2:2: the key \"a\" is there twice"));
  EXPECT_THAT(as_json("a: 1", "a.json"), ElementsAre("a.json:1:1: expected a value"));
}

TEST(Documents, ReadCommonYamlOfWindows) {
  EXPECT_THAT(as_json("\xef\xbb\xbf"
                      "a: 1\r\nb:\r\n  - x\r\n"),
              ElementsAre(R"({"a":1,"b":["x"]})"));
}

TEST(Document, SaysThatYamlIsNotIndentedWithTabs) {
  auto tab = parse_documents("a.yaml", "metadata:\n\tname: x\n");
  auto other = parse_documents("a.yaml", "metadata: {name: x\nspec: {}\n");

  ASSERT_FALSE(tab);
  EXPECT_NE(tab.error().message.find("a.yaml:2:1: "), std::string::npos) << tab.error().message;
  EXPECT_NE(tab.error().message.find("spaces, not with tabs"), std::string::npos);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().message.find("tabs"), std::string::npos) << other.error().message;
}

}  // namespace
}  // namespace weft
