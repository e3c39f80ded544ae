#include "contracts/core/evaluator.h"

#include <gtest/gtest.h>

#include "contracts/core/schema_compiler.h"

namespace weft::contracts {
namespace {

JsonDocument parsed(std::string_view text) {
  auto document = JsonDocument::parse(std::string(text));
  EXPECT_TRUE(document.has_value()) << text;
  return *std::move(document);
}

struct Compiled {
  std::shared_ptr<const Program> program;
  BlockId entry = kAcceptAll;
};

Compiled compile(std::string_view text) {
  const JsonDocument document = parsed(text);
  SchemaCompiler compiler(document.root(), {}, true);
  const auto entry = compiler.add("");
  EXPECT_TRUE(entry.has_value()) << text;
  return {*compiler.finish(), *entry};
}

bool accepts(std::string_view schema, std::string_view instance) {
  const Compiled compiled = compile(schema);
  return Evaluator(*compiled.program).accepts(compiled.entry, parsed(instance).root());
}

Check check_of(std::string_view schema, Json::Type type) {
  const Compiled compiled = compile(schema);
  return compiled.program->blocks[compiled.entry].checks.of[static_cast<std::size_t>(type)];
}

// Schemas that the short checks serve, and neighbours that they must leave to the code.
constexpr std::string_view kSchemas[] = {
    R"({"type":"string","minLength":2,"maxLength":4})",
    R"({"type":["string","array"],"minLength":2,"minItems":1})",
    R"({"minLength":2,"maxItems":1,"minProperties":1})",
    R"({"maxLength":3,"maxItems":3,"maxProperties":3})",
    R"({"type":["string","null"],"pattern":"^[A-Z]{3}-[0-9]{5}$"})",
    R"({"pattern":"^[a-c]+$","minItems":2})",
    R"({"enum":["EUR","USD","CANCELLED",7,null,[1]]})",
    R"({"type":"string","enum":["EUR","USD","ab"],"minLength":3})",
    R"({"const":"EUR"})",
    R"({"type":"integer"})",
    R"({"type":"integer","minimum":0})",
    R"({"type":"integer","minimum":1,"maximum":9})",
    R"({"exclusiveMinimum":-3,"exclusiveMaximum":12})",
    R"({"type":"number","minimum":0,"maximum":1.5})",
    R"({"minimum":0})",
    R"({"minimum":1000000000000000000,"maximum":9223372036854775807})",
    R"({"multipleOf":3,"minimum":3})",
    R"({"items":true,"maxItems":2})",
    R"({"items":{"type":"integer","minimum":2}})",
    R"({"type":"array","items":{"type":"array","items":{"type":"string"}},"minItems":1})",
    R"({"prefixItems":[true],"items":{"type":"string"}})",
    R"({"items":{"$ref":"#"},"type":["array","integer"]})",
    R"({"required":["a","c"],"properties":{"a":true,"b":{"type":"integer"}},
        "additionalProperties":false})",
    R"({"required":["d"],"properties":{"a":{"type":"string"}},
        "additionalProperties":{"type":"integer"}})",
    R"({"properties":{"a":{"properties":{"a":{"type":"integer"}},"additionalProperties":false}}})",
    R"({"properties":{"a member of a name 1 as long":{"type":"string"},
        "a member of a name 2 as long":{"type":"integer"}},"additionalProperties":false})",
    R"({"patternProperties":{"^a":{"type":"integer"}},"properties":{"b":{"type":"string"}}})",
    R"({"properties":{"a":{"type":"integer"}},"unevaluatedProperties":false})",
    R"({"properties":{"a":{"items":{"type":"integer"}}},"items":{"type":"integer"},
        "maxLength":1,"minimum":1})",
    R"({"$dynamicAnchor":"n","properties":{"a":{"$dynamicRef":"#n"}},"required":["a"]})",
};

constexpr std::string_view kInstances[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-0.0",
    "1",
    "1.0",
    "1.5",
    "15e-1",
    "-1",
    "2",
    "-3",
    "-2.9",
    "9",
    "9.0",
    "9.000000000000000000001",
    "10",
    "12",
    "11.99",
    "999999999999999999",
    "1000000000000000000",
    "1000000000000000000.5",
    "9223372036854775807",
    "9223372036854775808",
    "-99999999999999999999",
    "1e400",
    R"("")",
    R"("a")",
    R"("ab")",
    R"("éà")",
    R"("ééééé")",
    R"("\u00e9")",
    R"("abcde")",
    R"("EUR")",
    R"("eur")",
    R"("EUR ")",
    R"("CANCELLED")",
    R"("cancelleD")",
    R"("ABC-12345")",
    R"("ABC-1234")",
    R"("ABC-123456")",
    R"("ABc-12345")",
    R"("ABC-1234:")",
    R"("ABC-123é")",
    "[]",
    "[1]",
    "[1,2]",
    "[2,3,4]",
    "[[]]",
    R"([["a"],[]])",
    R"([["a"],[1]])",
    R"([1,"a"])",
    R"(["a",1])",
    "[[[[1]]],2]",
    R"([[["a"]]])",
    "{}",
    R"({"a":1})",
    R"({"a":"x"})",
    R"({"a":1,"c":2})",
    R"({"c":2,"a":1})",
    R"({"c":2,"b":3,"a":1})",
    R"({"a":1,"b":"x","c":2})",
    R"({"a":1,"c":2,"z":3})",
    R"({"a":"x","z":1,"d":4})",
    R"({"z":1,"y":2,"a":"x","d":4})",
    R"({"a":{"a":1},"d":1})",
    R"({"a":{"b":1}})",
    R"({"a":{"a":{"a":{}}}})",
    R"({"a member of a name 1 as long":"x","a member of a name 2 as long":1})",
    R"({"a member of a name 2 as long":1,"a member of a name 1 as long":"x"})",
    R"({"a member of a name 2 as long":"x"})",
    R"({"a member of a name 3 as long":"x"})",
    R"({"a member of another name":1})",
};

TEST(Evaluator, AnswersTheSameWithReportsAndWithout) {
  for (const std::string_view schema : kSchemas) {
    const Compiled compiled = compile(schema);
    std::size_t accepted = 0;
    for (const std::string_view text : kInstances) {
      const JsonDocument instance = parsed(text);
      const bool quick = Evaluator(*compiled.program).accepts(compiled.entry, instance.root());
      const bool reported =
          Evaluator(*compiled.program).violations(compiled.entry, instance.root(), 10).empty();
      EXPECT_EQ(quick, reported) << schema << "\n" << text;
      accepted += quick ? 1 : 0;
    }
    EXPECT_GT(accepted, 0u) << schema;
    EXPECT_LT(accepted, std::size(kInstances)) << schema;
  }
}

TEST(Evaluator, ChecksWithoutCodeWhatIsCommon) {
  EXPECT_EQ(check_of(R"({"maxLength":4})", Json::Type::String), Check::Length);
  EXPECT_EQ(check_of(R"({"maxLength":4})", Json::Type::Array), Check::Accept);
  EXPECT_EQ(check_of(R"({"enum":["a","b"]})", Json::Type::String), Check::OneOfTexts);
  EXPECT_EQ(check_of(R"({"pattern":"^a","minLength":2})", Json::Type::String), Check::Pattern);
  EXPECT_EQ(check_of(R"({"type":"integer"})", Json::Type::Number), Check::Integer);
  EXPECT_EQ(check_of(R"({"minimum":0})", Json::Type::Number), Check::NotNegative);
  EXPECT_EQ(check_of(R"({"type":"integer","minimum":0})", Json::Type::Number), Check::Natural);
  EXPECT_EQ(check_of(R"({"minimum":1,"exclusiveMaximum":9})", Json::Type::Number), Check::Range);
  EXPECT_EQ(check_of(R"({"items":{"type":"string"}})", Json::Type::Array), Check::Elements);
  EXPECT_EQ(check_of(R"({"items":{},"maxItems":3})", Json::Type::Array), Check::Size);
  EXPECT_EQ(check_of(R"({"properties":{"a":{"type":"null"}}})", Json::Type::Object),
            Check::Members);
}

TEST(Evaluator, LeavesToTheCodeWhatOnePairOfBoundsCannotSay) {
  constexpr std::string_view kTwoBounds = R"({"maxLength":4,"maxItems":3})";
  EXPECT_EQ(check_of(kTwoBounds, Json::Type::String), Check::Length);
  EXPECT_EQ(check_of(kTwoBounds, Json::Type::Array), Check::Code);
  EXPECT_EQ(check_of(R"({"minimum":0.5})", Json::Type::Number), Check::Code);
  EXPECT_EQ(check_of(R"({"maximum":9223372036854775807})", Json::Type::Number), Check::Code);
}

TEST(Evaluator, RecognisesMembersInAnyOrder) {
  constexpr std::string_view kSchema =
      R"({"properties":{"a":{"const":"1"},"bb":{"const":"2"},"a name of twenty-four b.":{"const":"3"}},
          "required":["a","bb","a name of twenty-four b."],"additionalProperties":{"const":"4"}})";

  EXPECT_TRUE(accepts(kSchema, R"({"a":"1","bb":"2","a name of twenty-four b.":"3"})"));
  EXPECT_TRUE(accepts(kSchema, R"({"a name of twenty-four b.":"3","bb":"2","a":"1"})"));
  EXPECT_TRUE(accepts(kSchema, R"({"x":"4","a":"1","y":"4","z":"4","bb":"2","":"4",
                                   "a name of twenty-four b.":"3","w":"4"})"));
  EXPECT_FALSE(accepts(kSchema, R"({"x":"4","a":"1","y":"4","bb":"2"})"));
  EXPECT_FALSE(accepts(kSchema, R"({"a":"1","bb":"2","a name of TWENTY-four b.":"3"})"));
  EXPECT_FALSE(accepts(kSchema, R"({"a":"1","bb":"2","a name of twenty-four b.":"4"})"));
}

}  // namespace
}  // namespace weft::contracts
