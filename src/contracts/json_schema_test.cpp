#include "contracts/json_schema.h"

#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <thread>

#include "base/document.h"

namespace weft::contracts {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

JsonDocument json(std::string text) {
  auto document = JsonDocument::parse(std::move(text), {.depth_max = kJsonDepthMax});
  EXPECT_TRUE(document.has_value()) << document.error().message;
  return document ? *std::move(document) : JsonDocument();
}

JsonSchema schema(std::string text, const SchemaOptions& options = {}) {
  const JsonDocument document = json(std::move(text));
  auto compiled = JsonSchema::compile(document.root(), options);
  EXPECT_TRUE(compiled.has_value()) << compiled.error().message;
  return *std::move(compiled);
}

std::string refusal(std::string text, const SchemaOptions& options = {}) {
  const JsonDocument document = json(std::move(text));
  const auto compiled = JsonSchema::compile(document.root(), options);
  return compiled ? "accepted" : compiled.error().message;
}

// "instance schema: message" of each violation.
std::vector<std::string> reasons(const JsonSchema& schema, std::string instance) {
  const JsonDocument document = json(std::move(instance));
  std::vector<std::string> out;
  for (const Violation& v : schema.violations(document.root()))
    out.push_back(fmt::format("{} {}: {}", v.instance, v.schema, v.message));
  return out;
}

TEST(JsonSchema2020, AnswersEveryKeywordAsTheDataSays) {
  std::ifstream in(WEFT_SOURCE_DIR "/src/contracts/testdata/draft2020-12.json");
  const JsonDocument cases = json({std::istreambuf_iterator<char>(in), {}});
  std::set<std::string_view> keywords;

  for (const Json& group : cases.root().elements()) {
    const std::string_view keyword = group.find("keyword")->as_string();
    keywords.insert(keyword);
    const auto compiled = JsonSchema::compile(*group.find("schema"));
    ASSERT_TRUE(compiled.has_value()) << keyword << ": " << compiled.error().message;
    for (const Json& test : group.find("tests")->elements()) {
      const Json& data = *test.find("data");
      EXPECT_EQ(compiled->accepts(data), test.find("valid")->as_bool())
          << keyword << ": " << data.raw();
      EXPECT_EQ(compiled->violations(data).empty(), test.find("valid")->as_bool())
          << keyword << ": " << data.raw();
    }
  }

  EXPECT_GE(keywords.size(), 45u);
}

TEST(JsonSchema, ComparesNumbersExactly) {
  const JsonSchema maximum = schema(R"({"maximum": 9007199254740992})");
  EXPECT_TRUE(maximum.accepts(json("9007199254740992").root()));
  EXPECT_FALSE(maximum.accepts(json("9007199254740993").root()));
  EXPECT_FALSE(maximum.accepts(json("1e400").root()));

  const JsonSchema cents = schema(R"({"multipleOf": 0.01, "const": 123456789012345678.12})");
  EXPECT_TRUE(cents.accepts(json("123456789012345678.120").root()));
  EXPECT_FALSE(cents.accepts(json("123456789012345678.13").root()));

  EXPECT_TRUE(
      schema(R"({"type": "integer"})").accepts(json("100000000000000000000000000000").root()));
  EXPECT_FALSE(schema(R"({"minimum": 0})").accepts(json("-0.1").root()));
  EXPECT_TRUE(schema(R"({"minimum": 0})").accepts(json("-0").root()));
}

TEST(JsonSchema, SaysWhereAndWhyWithoutRepeatingValues) {
  const JsonSchema order = schema(R"({
    "type": "object", "required": ["id", "lines"], "additionalProperties": false,
    "properties": {
      "id": {"type": "string", "pattern": "^ORD-[0-9]+$", "maxLength": 10},
      "state": {"enum": ["NEW", "PAID"]},
      "lines": {"type": "array", "minItems": 1, "uniqueItems": true,
                "items": {"$ref": "#/$defs/line"}}},
    "$defs": {"line": {"type": "object", "properties": {
      "price": {"type": "number", "minimum": 0, "multipleOf": 0.01},
      "count": {"type": "integer", "exclusiveMinimum": 0}}}}})");

  EXPECT_THAT(
      reasons(order, R"({"id": "secret-value-x", "state": "GONE", "extra/x": 1,
                         "lines": [{"price": -0.001, "count": 1.5}, {"count": 0}]})"),
      ElementsAre(
          "/id #/properties/id/maxLength: must have at most 10 characters",
          "/id #/properties/id/pattern: must match the pattern ^ORD-[0-9]+$",
          "/state #/properties/state/enum: must be one of \"NEW\" or \"PAID\"",
          "/extra~1x #/additionalProperties: is not allowed here",
          "/lines/0/price #/$defs/line/properties/price/minimum: must be at least 0",
          "/lines/0/price #/$defs/line/properties/price/multipleOf: must be a multiple of 0.01",
          "/lines/0/count #/$defs/line/properties/count/type: must be an integer, is a number",
          "/lines/1/count #/$defs/line/properties/count/exclusiveMinimum: must be more than 0"));
  EXPECT_THAT(reasons(order, R"({"lines": []})"),
              ElementsAre("/lines #/properties/lines/minItems: must have at least 1 element",
                          " #/required: the member 'id' is missing"));
  EXPECT_THAT(reasons(order, R"({"id": "ORD-1", "lines": [{}, {}]})"),
              ElementsAre("/lines #/properties/lines/uniqueItems: elements 0 and 1 are equal"));
  EXPECT_THAT(reasons(order, "[]"), ElementsAre(" #/type: must be an object, is an array"));
}

TEST(JsonSchema, ExplainsAlternativesByTheOneThatFitsTheType) {
  const JsonSchema either = schema(R"({"anyOf": [
    {"type": "string", "minLength": 3}, {"type": "integer", "minimum": 10}]})");

  EXPECT_THAT(reasons(either, "5"), ElementsAre(" #/anyOf: must match at least one of 2 schemas",
                                                " #/anyOf/1/minimum: must be at least 10"));
  EXPECT_THAT(reasons(either, "null"),
              ElementsAre(" #/anyOf: must match at least one of 2 schemas"));
}

TEST(JsonSchema, ReportsAtMostAsManyAsAsked) {
  const JsonSchema numbers = schema(R"({"items": {"type": "number"}})");
  const JsonDocument texts = json(R"(["a", "b", "c", "d"])");

  EXPECT_EQ(numbers.violations(texts.root(), 2).size(), 2u);
  EXPECT_EQ(numbers.violations(texts.root()).size(), 4u);
  EXPECT_EQ(numbers.violations(texts.root(), 0).size(), 1u) << "a refusal has a reason";
}

TEST(JsonSchema, KeepsNothingOfTheDocumentThatItWasCompiledFrom) {
  std::optional<JsonSchema> compiled;
  {
    const JsonDocument document = json(R"({"enum": [{"a": [1, "x"]}], "title": "t"})");
    compiled = *JsonSchema::compile(document.root());
  }

  EXPECT_TRUE(compiled->accepts(json(R"({"a": [1.0, "x"]})").root()));
}

TEST(JsonSchema, AssertsFormatsWhenAsked) {
  const std::string date = R"({"format": "date"})";

  EXPECT_TRUE(schema(date).accepts(json("\"2026-02-30\"").root()));
  EXPECT_FALSE(schema(date, {.assert_formats = true}).accepts(json("\"2026-02-30\"").root()));
  EXPECT_THAT(reasons(schema(date, {.assert_formats = true}), "\"x\""),
              ElementsAre(" #/format: must be of the format date"));
}

TEST(JsonSchema, FollowsReferencesIntoOtherDocuments) {
  const JsonDocument money = json(R"({"$defs": {"amount": {"type": "number", "minimum": 0}}})");
  const JsonDocument address =
      json(R"({"$id": "https://example.com/address", "required": ["city"]})");
  const SchemaOptions options{
      .uri = "https://example.com/schemas/order.json",
      .documents = {{"https://example.com/schemas/money.json", money.root()},
                    {"file:///a.json", address.root()}}};

  const JsonSchema order = schema(R"({"properties": {
      "total": {"$ref": "money.json#/$defs/amount"}, "to": {"$ref": "/address"}}})",
                                  options);

  EXPECT_THAT(reasons(order, R"({"total": -1, "to": {}})"),
              ElementsAre("/total https://example.com/schemas/money.json#/$defs/amount/minimum: "
                          "must be at least 0",
                          "/to file:///a.json#/required: the member 'city' is missing"));
}

struct BadSchema {
  const char* text;
  const char* message;
};
class RefusedSchema : public testing::TestWithParam<BadSchema> {};

TEST_P(RefusedSchema, NamesPointerAndLine) {
  EXPECT_THAT(refusal(GetParam().text), StartsWith(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Schemas, RefusedSchema,
    testing::Values(
        BadSchema{"{\"properties\": {\n  \"a\": {\"minimum\": \"1\"}}}",
                  "schema at #/properties/a/minimum (line 2, column 20): must be a number"},
        BadSchema{"{\"type\": \"text\"}",
                  "schema at #/type (line 1, column 10): must be null, boolean"},
        BadSchema{"{\"type\": []}",
                  "schema at #/type (line 1, column 10): must name at least one type"},
        BadSchema{"{\"items\": [1]}",
                  "schema at #/items (line 1, column 11): a schema must be an object"},
        BadSchema{"5", "schema at # (line 1, column 1): a schema must be an object"},
        BadSchema{"{\"multipleOf\": 0}",
                  "schema at #/multipleOf (line 1, column 16): must be more than 0"},
        BadSchema{"{\"maxLength\": -1}",
                  "schema at #/maxLength (line 1, column 15): must be a whole number"},
        BadSchema{"{\"required\": \"a\"}",
                  "schema at #/required (line 1, column 14): must be a list of names"},
        BadSchema{"{\"anyOf\": []}",
                  "schema at #/anyOf (line 1, column 11): must be a list of at least one"},
        BadSchema{"{\"$ref\": \"#/$defs/a\"}",
                  "schema at #/$ref (line 1, column 10): there is nothing at /$defs/a"},
        BadSchema{"{\"$ref\": \"#a\"}",
                  "schema at #/$ref (line 1, column 10): there is no anchor 'a' in the schema"},
        BadSchema{
            "{\"$ref\": \"https://e.com/x\"}",
            "schema at #/$ref (line 1, column 10): https://e.com/x is not among the documents"},
        BadSchema{"{\"$schema\": \"https://e.com/dialect\"}",
                  "schema at # (line 1, column 1): the dialect https://e.com/dialect is not known"},
        BadSchema{
            "{\"pattern\": \"a(?=b)\"}",
            "schema at #/pattern (line 1, column 13): pattern a(?=b): look-ahead (?= or (?! cannot "
            "run in linear time"},
        BadSchema{"{\"patternProperties\": {\"(a)\\\\1\": {}}}",
                  "schema at #/patternProperties/(a)\\1 (line 1, column 34): pattern (a)\\1: a "
                  "back-reference"},
        BadSchema{"{\"$ref\": \"#\"}", "schema at #: refers to itself without going down"},
        BadSchema{"{\"allOf\": [{\"$ref\": \"#/$defs/a\"}], \"$defs\": {\"a\": {\"not\": "
                  "{\"$ref\": \"#\"}}}}",
                  "schema at #: refers to itself without going down"}));

TEST(JsonSchema, NamesTheLineOfASchemaInsideAYamlDocument) {
  const auto documents =
      parse_documents("s.yaml", "kind: Schema\nspec:\n  type: object\n  maxItems: many\n");

  const auto compiled = JsonSchema::compile(*documents->at(0).root().find("spec"),
                                            {.source = documents->at(0).text()});

  ASSERT_FALSE(compiled.has_value());
  EXPECT_EQ(compiled.error().message,
            "schema at #/maxItems (line 4, column 13): must be a whole number, 0 or more");
}

TEST(JsonSchema, EndsRecursionAtTheLimitOfDepth) {
  const JsonSchema list = schema(R"({"properties": {"next": {"$ref": "#"}}})", {.depth_max = 50});
  const auto chain = [](int length) {
    std::string text;
    for (int i = 0; i < length; ++i) text += "{\"next\":";
    return text + "{}" + std::string(static_cast<std::size_t>(length), '}');
  };

  EXPECT_TRUE(list.accepts(json(chain(40)).root()));
  EXPECT_FALSE(list.accepts(json(chain(60)).root()));
  EXPECT_THAT(reasons(list, chain(60)),
              ElementsAre(" #: the schemas nest deeper than the limit allows"));
}

TEST(JsonSchema, EndsAnEndlessDynamicReference) {
  const JsonSchema loop =
      schema(R"({"$dynamicAnchor": "a", "anyOf": [{"$dynamicRef": "#a"}, {"$dynamicRef": "#a"}]})",
             {.depth_max = 1'000});

  EXPECT_FALSE(loop.accepts(json("1").root()));
}

TEST(JsonSchema, EndsAnExplodingSchemaAtTheLimitOfSteps) {
  std::string text = R"({"$ref": "#/$defs/d0", "$defs": {"d40": {"type": "string"})";
  for (int i = 0; i < 40; ++i)
    text += fmt::format(
        R"(, "d{0}": {{"not": {{"allOf": [{{"$ref": "#/$defs/d{1}"}}, {{"not": {{"$ref": "#/$defs/d{1}"}}}}]}}}})",
        i, i + 1);
  const JsonSchema explosion = schema(text + "}}", {.steps_max = 100'000});

  EXPECT_FALSE(explosion.accepts(json("1").root()));
  EXPECT_THAT(reasons(explosion, "1"), ElementsAre(HasSubstr("more steps than the limit allows")));
}

TEST(JsonSchema, DispatchesManyMembers) {
  std::string properties;
  std::string required;
  std::string instance;
  for (int i = 0; i < 300; ++i) {
    const char* const comma = i == 0 ? "" : ",";
    properties += fmt::format("{}\"a_rather_long_member_name_{}\":{{\"const\":{}}}", comma, i, i);
    required += fmt::format("{}\"a_rather_long_member_name_{}\"", comma, i);
    instance += fmt::format("{}\"a_rather_long_member_name_{}\":{}", comma, i, i);
  }
  const JsonSchema wide = schema("{\"additionalProperties\":false,\"properties\":{" + properties +
                                 "},\"required\":[" + required + "]}");

  EXPECT_THAT(reasons(wide, "{" + instance + "}"), IsEmpty());
  EXPECT_FALSE(wide.accepts(json("{" + instance + ",\"a_rather_long_member_name_300\":0}").root()));
  const std::string last = ",\"a_rather_long_member_name_299\":299";
  EXPECT_THAT(reasons(wide, "{" + instance.substr(0, instance.size() - last.size()) + "}"),
              ElementsAre(HasSubstr("the member 'a_rather_long_member_name_299' is missing")));
}

TEST(JsonSchema, DecidesByTheWrittenDigitsAsByTheValue) {
  const JsonSchema amount = schema(R"({"minimum": 0, "maximum": 99.99, "multipleOf": 0.01})");

  for (const char* good :
       {"0", "0.5", "9", "19.99", "99.99", "5.250", "1e1", "99.990", "1.5e-1", "0e5"})
    EXPECT_TRUE(amount.accepts(json(good).root())) << good;
  for (const char* bad :
       {"-0.01", "100", "99.991", "100.5", "0.001", "1e2", "5.251", "1e-3", "1000"})
    EXPECT_FALSE(amount.accepts(json(bad).root())) << bad;
}

TEST(JsonSchema, HasTheSameRulesUnderOtherNamesAndTitles) {
  const JsonSchema one = schema(R"({
    "title": "Order", "type": "object", "required": ["id"], "additionalProperties": false,
    "properties": {"id": {"$ref": "#/$defs/Id"}, "lines": {"items": {"$ref": "#"}}},
    "$defs": {"Id": {"type": "string", "pattern": "^[A-Z]+$", "description": "its name"}}})");
  const JsonSchema same = schema(R"({
    "$ref": "#/components/schemas/Order", "components": {"schemas": {
      "Order": {"type": "object", "required": ["id"], "additionalProperties": false, "description": "An order.",
        "properties": {"id": {"$ref": "#/components/schemas/Id"},
                       "lines": {"items": {"$ref": "#/components/schemas/Order"}}}},
      "Id": {"pattern": "^[A-Z]+$", "type": "string", "examples": ["A"]}}}})");

  EXPECT_EQ(one.rules(), same.rules());
  EXPECT_NE(one.rules(), "");
}

TEST(JsonSchema, HasOtherRulesWhereAnythingIsAskedThatDiffers) {
  const std::vector<std::string> all = {R"({})",
                                        R"({"type": "number"})",
                                        R"({"type": "integer"})",
                                        R"({"minimum": 1})",
                                        R"({"minimum": 2})",
                                        R"({"maximum": 1})",
                                        R"({"exclusiveMinimum": 1})",
                                        R"({"multipleOf": 1})",
                                        R"({"minLength": 1})",
                                        R"({"minItems": 1})",
                                        R"({"pattern": "a"})",
                                        R"({"pattern": "b"})",
                                        R"({"uniqueItems": true})",
                                        R"({"prefixItems": [{"type": "null"}]})",
                                        R"({"prefixItems": [{"type": "string"}]})",
                                        R"({"items": {"type": "null"}})",
                                        R"({"prefixItems": [true], "items": {"type": "null"}})",
                                        R"({"contains": {"type": "null"}})",
                                        R"({"contains": {"type": "null"}, "minContains": 2})",
                                        R"({"required": ["a"]})",
                                        R"({"required": ["b"]})",
                                        R"({"properties": {"a": {"type": "null"}}})",
                                        R"({"properties": {"a": false}})",
                                        R"({"patternProperties": {"a": false}})",
                                        R"({"additionalProperties": false})",
                                        R"({"additionalProperties": {"type": "null"}})",
                                        R"({"propertyNames": {"maxLength": 3}})",
                                        R"({"dependentRequired": {"a": ["b"]}})",
                                        R"({"dependentRequired": {"a": ["c"]}})",
                                        R"({"dependentSchemas": {"a": {"required": ["b"]}}})",
                                        R"({"enum": [1]})",
                                        R"({"enum": [2]})",
                                        R"({"enum": ["1"]})",
                                        R"({"enum": ["1", "2"]})",
                                        R"({"const": null})",
                                        R"({"const": [1]})",
                                        R"({"const": [1, 2]})",
                                        R"({"not": {"type": "null"}})",
                                        R"({"anyOf": [{"type": "null"}, {"required": ["a"]}]})",
                                        R"({"oneOf": [{"type": "null"}, {"required": ["a"]}]})",
                                        R"({"if": {"type": "null"}, "then": false})",
                                        R"({"if": {"type": "null"}, "else": false})",
                                        R"({"items": {"items": {"type": "null"}}})",
                                        R"({"items": {"items": {"type": "string"}}})",
                                        R"({"unevaluatedProperties": false})",
                                        R"({"unevaluatedItems": false})"};

  std::map<std::string, std::string> by_rules;
  for (const std::string& text : all) {
    const auto [at, is_new] = by_rules.emplace(schema(text).rules(), text);
    EXPECT_TRUE(is_new) << text << " and " << at->second;
  }
}

TEST(JsonSchema, HasNoRulesToCompareWhenAReferenceIsDynamic) {
  const JsonSchema tree =
      schema(R"({"$dynamicAnchor": "node", "items": {"$dynamicRef": "#node"}})");

  EXPECT_EQ(tree.rules(), "");
}

TEST(JsonSchema, IsUsedByManyThreadsAtOnce) {
  const JsonSchema shared = schema(R"({"type": "array", "items": {"pattern": "a.*b|c"}})");
  const JsonDocument good = json(R"(["axxb", "c"])");
  const JsonDocument bad = json(R"(["axxb", "d"])");
  std::atomic<int> wrong = 0;

  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i)
        if (!shared.accepts(good.root()) || shared.accepts(bad.root())) ++wrong;
    });
  threads.clear();

  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace weft::contracts
