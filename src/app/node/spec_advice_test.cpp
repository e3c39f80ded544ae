#include "app/node/spec_advice.h"

#include <gtest/gtest.h>

namespace weft::app {
namespace {

constexpr std::string_view kSchema = R"json({
  "type": "object", "additionalProperties": false,
  "oneOf": [{"required": ["schema"]}, {"required": ["opaque"]}],
  "properties": {
    "schema": {"type": "string", "description": "name of a Schema"},
    "opaque": {"const": true},
    "partitions": {"type": "integer"},
    "retention": {"type": "string", "pattern": "^[0-9]+d$", "description": "days, such as 7d"},
    "retry": {"type": "object", "additionalProperties": false, "properties": {"maxAge": {}}},
    "labels": {"type": "object", "additionalProperties": {"type": "string"}}
  }
})json";

// What is said of each violation.
std::string advice(std::string spec) {
  auto schema = JsonDocument::parse(std::string(kSchema)).value();
  auto compiled = contracts::JsonSchema::compile(schema.root()).value();
  auto document = JsonDocument::parse(std::move(spec)).value();
  std::string all;
  for (const auto& violation : compiled.violations(document.root())) {
    all += spec_advice(schema.root(), violation) + "\n";
  }
  return all;
}

TEST(SpecAdvice, NamesAnUnknownFieldTheOneThatWasMeantAndAllOthers) {
  EXPECT_EQ(
      advice(R"({"opaque": true, "partitons": 3})"),
      "unknown field \"partitons\"; did you mean \"partitions\"?; known fields: schema, opaque, "
      "partitions, retention, retry, labels\n");
  EXPECT_EQ(advice(R"({"opaque": true, "retry": {"a/~b": 3}})"),
            "unknown field \"a/~b\"; known fields: maxAge\n");
}

TEST(SpecAdvice, NamesTheFieldsOfWhichOneIsNeeded) {
  EXPECT_EQ(advice(R"({"partitions": 3})"),
            "needs one of these fields: schema (name of a Schema), opaque\n");
  EXPECT_EQ(advice(R"({"schema": "x", "opaque": true})"),
            "takes only one of these fields: schema (name of a Schema), opaque\n");
}

TEST(SpecAdvice, SaysWhatAValueThatBreaksAPatternLooksLike) {
  EXPECT_EQ(advice(R"({"opaque": true, "retention": "7 days"})"),
            "must match the pattern ^[0-9]+d$: days, such as 7d\n");
}

TEST(SpecAdvice, LeavesOtherMessagesAsTheyAre) {
  EXPECT_EQ(advice(R"({"opaque": true, "partitions": "3"})"), "must be an integer, is a text\n");
  EXPECT_EQ(advice(R"({"opaque": true, "labels": {"a": 3}})"), "must be a text, is a number\n");
}

}  // namespace
}  // namespace weft::app
