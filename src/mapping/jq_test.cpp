#include "mapping/jq.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace weft::mapping {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// What a program says: its outputs, one JSON text each, and last its error when it ends with one.
std::vector<std::string> jq(std::string_view source, std::string input = "null",
                            JqOptions options = {}) {
  const auto program = JqProgram::compile(source);
  if (!program) return {program.error().message};
  const auto document = JsonDocument::parse(std::move(input));
  class Outputs : public JqSink {
   public:
    bool take(const JqOutput& output) override {
      output.append_json(all.emplace_back());
      return true;
    }
    std::vector<std::string> all;
  } outputs;
  const auto end = JqRunner(options).run(*program, document->root(), outputs);
  if (!end) outputs.all.push_back(end.error().message);
  return outputs.all;
}

TEST(Jq, MovesPartsOfTheInput) {
  EXPECT_THAT(jq("{id: .order.id, total: .total}", R"({"order":{"id":"A-1"},"total":10.50})"),
              ElementsAre(R"({"id":"A-1","total":10.50})"));
}

TEST(JqNumbers, KeepTheirLexemeWhenTheyAreMoved) {
  EXPECT_THAT(jq(".[]", "[1.000, 100e-2, 123456789012345678901234567890.12, 1E400, -0]"),
              ElementsAre("1.000", "100e-2", "123456789012345678901234567890.12", "1E400", "-0"));
}

TEST(JqNumbers, CalculateInDecimal) {
  EXPECT_THAT(jq("0.1 + 0.2, 1.10 * 3, 10000000000000000000000 + 1, 1 / 8, 19.99 - 20, 7 % 4"),
              ElementsAre("0.3", "3.3", "10000000000000000000001", "0.125", "-0.01", "3"));
}

TEST(JqNumbers, AreNegatedOneByOneOrSeveral) {
  EXPECT_THAT(jq("-.[0], -(.[0], 2)", "[3]"), ElementsAre("-3", "-3", "-2"));
  EXPECT_THAT(jq("-\"a\""), ElementsAre(HasSubstr("1:1: string (\"a\") cannot be negated")));
  EXPECT_THAT(jq("-(1, \"a\")"),
              ElementsAre("-1", HasSubstr("1:1: string (\"a\") cannot be negated")));
}

TEST(JqNumbers, CalculateTheSameOnBothSidesOf64Bits) {
  const std::string input =
      "[999999999999999999, 9223372036854775807, -9223372036854775808, 0.0000000001, 5e3]";

  EXPECT_THAT(
      jq(".[0] + 1, .[1] + 1, .[2] - 1, .[1] * 10, .[0] + .[3], .[4] * 0.2, .[4] - 5000", input),
      ElementsAre("1000000000000000000", "9223372036854775808", "-9223372036854775809",
                  "92233720368547758070", "999999999999999999.0000000001", "1000", "0"));
  EXPECT_THAT(jq("[.[1] < .[1] + 1, .[2] > .[2] - 1, .[3] > 0, .[4] == 5000.0]", input),
              ElementsAre("[true,true,true,true]"));
}

TEST(JqNumbers, RoundToDoublesWhereNoDecimalIsExact) {
  EXPECT_THAT(jq("1 / 3, (2 | sqrt)"), ElementsAre("0.3333333333333333", "1.4142135623730951"));
}

TEST(JqNumbers, AreRefusedInsteadOfRoundedWhenAsked) {
  JqOptions options;
  options.arithmetic = JqArithmetic::Exact;

  EXPECT_THAT(jq("10 / 4, 10 / 3", "null", options),
              ElementsAre("2.5", AllOf(HasSubstr("1:12: "), HasSubstr("not exact"))));
}

TEST(JqNumbers, CompareExactlyAtAnyLength) {
  EXPECT_THAT(
      jq(".[0] == .[1], .[0] < .[2]",
         "[1000000000000000000000000000000000000001, 1000000000000000000000000000000000000001,"
         " 1000000000000000000000000000000000000002]"),
      ElementsAre("true", "true"));
}

TEST(JqErrors, OfAProgramSayLineAndColumn) {
  EXPECT_THAT(jq(".a |\n  .b +"), ElementsAre(AllOf(HasSubstr("2:7: "), HasSubstr("expected"))));
  EXPECT_THAT(jq("{a: foo(1)}"), ElementsAre(AllOf(HasSubstr("1:5: "), HasSubstr("foo/1"))));
  EXPECT_THAT(jq("$missing"), ElementsAre(HasSubstr("there is no variable $missing")));
  EXPECT_THAT(jq("\"a\\q\""), ElementsAre(HasSubstr("1:3: no such escape")));
  EXPECT_THAT(jq("1 | $"), ElementsAre(HasSubstr("1:5: expected an expression, found '$'")));
}

TEST(JqErrors, OfARunSayLineAndColumn) {
  EXPECT_THAT(jq("1,\n (.a | .b)", R"({"a":5})"),
              ElementsAre("1", "2:8: Cannot index number with string \"b\""));
}

TEST(JqErrors, AreThoseOfJq) {
  EXPECT_THAT(jq("contains(true)", "false"),
              ElementsAre(HasSubstr(
                  "boolean (false) and boolean (true) cannot have their containment checked")));
  EXPECT_THAT(jq("contains(false), (null | reverse), (0 | reverse)", "false"),
              ElementsAre("true", "[]", "[]"));
}

TEST(JqErrors, OfAPathSayWhereItLeadsToNothing) {
  EXPECT_THAT(jq("getpath([\"a\", 0]), delpaths([[\"a\", 0]])", "null"),
              ElementsAre("null", "null"));
  EXPECT_THAT(jq("getpath([\"a\", null])", "null"),
              ElementsAre(HasSubstr("Cannot index null with null")));
  EXPECT_THAT(jq("delpaths([[[], 0]])", "null"),
              ElementsAre(HasSubstr("Cannot index null with array")));
  EXPECT_THAT(jq("setpath([true]; 1)", "null"),
              ElementsAre(HasSubstr("Cannot index null with boolean")));
}

TEST(JqLoops, BindByTheAlternativeThatFits) {
  EXPECT_THAT(jq("reduce ([1], 2) as [$a] ?// $a (0; . + $a)"), ElementsAre("3"));
  EXPECT_THAT(jq("[foreach ([1], 2) as [$a] ?// $a (0; . + $a)]"), ElementsAre("[1,3]"));
}

TEST(JqPatterns, EvaluateKeysOnWhatIsTakenApart) {
  EXPECT_THAT(jq("{\"k\": \"x\", \"x\": 5} as {k: $k, (.k): $v} | $v"), ElementsAre("5"));
  EXPECT_THAT(jq("{\"x\": 5} as {(.k): $v} | $v", "{\"k\":\"x\"}"),
              ElementsAre(HasSubstr("Cannot index object with null")));
}

TEST(JqIndices, AreCutNotFloored) {
  EXPECT_THAT(jq(".[-0.5], .[-1.5], (.[-0.5] = 9), del(.[-1.5]), del(.[-0.5])", "[1,2,3]"),
              ElementsAre("1", "3", "[9,2,3]", "[1,2]", "[1,2,3]"));
}

TEST(JqNumbers, AreAskedWhatTheyAre) {
  EXPECT_THAT(jq("[\"a\", 1, 1e-320, nan, infinite | isnan, isinfinite, isnormal]"),
              ElementsAre("[false,false,false,false,false,true,false,false,false,"
                          "true,false,false,false,true,false]"));
  EXPECT_THAT(jq("pow(1.1; .)", "2"), ElementsAre("1.21"));
  EXPECT_THAT(jq("length", "-0"), ElementsAre("0"));
}

TEST(JqFormats, EndWhereJqEndsThem) {
  EXPECT_THAT(jq("\"YQ==YQ==\" | @base64d"), ElementsAre("\"a\""));
  EXPECT_THAT(jq("[1, nan, null] | @csv"), ElementsAre("\"1,,\""));
}

TEST(JqBuiltins, FindNothingByNothing) {
  EXPECT_THAT(jq("indices([]), .[[]], index([])", "[1,2]"), ElementsAre("[]", "[]", "null"));
  EXPECT_THAT(jq("indices(\"\"), index(\"\")", "\"ab\""), ElementsAre("[]", "null"));
}

TEST(JqErrors, OfABuiltinPointAtItsCaller) {
  EXPECT_THAT(jq("  [1] | walk(error(\"no\"))"), ElementsAre(HasSubstr("1:14: no")));
}

TEST(JqErrors, AreCaughtByTryAndNotByWhatComesAfterIt) {
  EXPECT_THAT(jq("(try error(\"a\") catch .), (try (1, 2) | error(\"later\"))"),
              ElementsAre("\"a\"", "1:41: later"));
}

TEST(JqLimits, EndALoopThatDoesNotEnd) {
  JqOptions options;
  options.limits.steps_max = 10'000;

  EXPECT_THAT(jq("def f: f; f", "null", options), ElementsAre(HasSubstr("steps_max = 10000")));
  EXPECT_THAT(jq("[repeat(1)] | length", "null", options), ElementsAre(HasSubstr("steps_max")));
  EXPECT_THAT(jq("try (def f: f; f) catch 1", "null", options),
              ElementsAre(HasSubstr("steps_max")));
}

TEST(JqLimits, EndAProgramThatTakesTooMuchMemory) {
  JqOptions options;
  options.limits.memory_bytes_max = 1024 * 1024;

  EXPECT_THAT(jq("[range(1000000)] | length", "null", options),
              ElementsAre(HasSubstr("memory_bytes_max")));
  EXPECT_THAT(jq("\"0123456789\" * 1000000 | length", "null", options),
              ElementsAre(HasSubstr("memory_bytes_max")));
  EXPECT_THAT(jq(".[500000000] = 1", "[]", options), ElementsAre(HasSubstr("memory_bytes_max")));
}

TEST(JqLimits, EndARecursionThatIsTooDeep) {
  EXPECT_THAT(jq("def f: 1 + f; f"), ElementsAre(HasSubstr("stack_bytes_max")));
  EXPECT_THAT(jq("reduce range(20000) as $i (null; [.]) | length"),
              ElementsAre(HasSubstr("nested deeper than 10000 levels")));
}

std::string repeated(std::string_view part, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += part;
  return all;
}

TEST(JqLimits, RefuseAProgramThatIsTooHigh) {
  for (const auto& program :
       {"1" + repeated("+1", 30'000), "." + repeated("[0]", 16'000), ".a" + repeated("?", 80'000),
        ". as $x | " + repeated("-", 600) + "1", "." + repeated("|.+1", 60'000)}) {
    auto compiled = JqProgram::compile(program);
    ASSERT_FALSE(compiled) << program.substr(0, 20);
    EXPECT_THAT(compiled.error().message,
                testing::AnyOf(HasSubstr("more than"), HasSubstr("nested")));
  }
}

TEST(JqLimits, RefuseAProgramThatGrowsAsItIsCompiled) {
  std::string program = "1";
  for (int i = 0; i < 60; ++i) program = "{\"\\(" + program + ")\"}";
  EXPECT_THAT(jq(program), ElementsAre(HasSubstr("too large")));
}

TEST(JqLimits, RunWhatIsLongAndNotHigh) {
  EXPECT_THAT(jq("[" + repeated("1,", 100'000) + "1] | length"), ElementsAre("100001"));
  EXPECT_THAT(jq("0" + repeated("|.+1", 5'000)), ElementsAre("5000"));
  EXPECT_THAT(jq("1" + repeated("+1", 1'000)), ElementsAre("1001"));
}

TEST(JqLimits, EndCallsOfOneOutputThatAreTooDeep) {
  std::string program = "def f0: " + repeated("-", 400) + "1; ";
  for (int i = 1; i < 200; ++i)
    program += fmt::format("def f{}: {}f{}; ", i, repeated("-", 400), i - 1);

  auto outputs = jq(program + "f199");

  ASSERT_EQ(outputs.size(), 1u);
  EXPECT_THAT(outputs[0], testing::AnyOf("1", HasSubstr("stack_bytes_max"), HasSubstr("nested")));
}

TEST(JqLimits, SeeTheDepthOfWhatAnUpdateMakes) {
  EXPECT_THAT(jq("(reduce range(5000) as $i (null; {a: .})) as $b | [range(5000) | \"a\"] as $p | "
                 "reduce range(60) as $i ($b; . as $x | getpath($p) = $x) | tojson | length"),
              ElementsAre(HasSubstr("nested deeper than 10000 levels")));
}

JqOptions small() {
  JqOptions options;
  options.limits.memory_bytes_max = 8 << 20;
  options.limits.steps_max = 100'000;
  return options;
}

TEST(JqLimits, EndATextOfSharedPartsThatIsTooLong) {
  const std::string shared = "reduce range(40) as $i ([0]; [., .])";
  const auto ends_with = [&](std::string_view more) {
    return jq(shared + std::string(more), "null", small()).back();
  };
  EXPECT_THAT(ends_with(""), HasSubstr("memory_bytes_max"));
  EXPECT_THAT(ends_with(" | tojson"), HasSubstr("memory_bytes_max"));
  EXPECT_THAT(ends_with(" | \"\\(.)\""), HasSubstr("memory_bytes_max"));
  EXPECT_EQ(ends_with(" | try (. + 1) catch ."),
            "\"array ([[[[[[[[[[[...) and number (1) cannot be added\"");
  EXPECT_THAT(ends_with(" | . == (" + shared + ")"), HasSubstr("steps_max"));
}

TEST(JqLimits, AreMetByWorkThatIsNoStep) {
  const auto ends_with = [](std::string_view program) {
    return jq(program, "null", small()).back();
  };
  EXPECT_THAT(ends_with("[range(10000)] as $a | [range(10000) | $a == $a] | length"),
              HasSubstr("steps_max"));
  EXPECT_THAT(ends_with("[range(10000)] as $a | [range(10000) | ($a + [1]) | 0] | length"),
              HasSubstr("steps_max"));
  EXPECT_THAT(ends_with("(\"a\" * 1000000) as $t | [range(90000) | $t | index(\"b\")] | length"),
              HasSubstr("steps_max"));
  EXPECT_THAT(
      ends_with("(\"a\" * 1000000) as $t | (\"a\" * 500000 + \"b\") as $p | $t | contains($p)"),
      HasSubstr("false"));
  EXPECT_THAT(ends_with("(\"a\" * 2000000) | explode"), HasSubstr("memory_bytes_max"));
  EXPECT_THAT(ends_with("(\"'\" * 2000000) | @html | length"), HasSubstr("memory_bytes_max"));
}

TEST(JqLimits, DoNotMeetHonestPatterns) {
  EXPECT_THAT(jq("(\"aaaaaaaaa,\" * 20000) | [splits(\",\")] | length"), ElementsAre("20001"));
  EXPECT_THAT(jq("(\"a\" * 40000) | [match(\"a\"; \"g\")] | length"), ElementsAre("40000"));
}

TEST(JqLimits, ARunnerGoesOnAfterALimit) {
  JqOptions options;
  options.limits.steps_max = 1'000;
  JqRunner runner(options);
  const auto endless = JqProgram::compile("[range(100000)]");
  const auto good = JqProgram::compile(". + 1");
  const auto input = JsonDocument::parse("41");

  EXPECT_FALSE(runner.first(*endless, input->root()));
  EXPECT_EQ(*runner.first(*good, input->root()), "42");
}

TEST(JqCalls, InTheLastPlaceNeedNoStack) {
  EXPECT_THAT(jq("def count: if . < 200000 then . + 1 | count else . end; 0 | count"),
              ElementsAre("200000"));
  EXPECT_THAT(jq("last(range(100000))"), ElementsAre("99999"));
  EXPECT_THAT(jq("[limit(3; 0 | recurse(. + 1))], last(limit(100000; 0 | recurse(. + 1)))"),
              ElementsAre("[0,1,2]", "99999"));
}

TEST(JqCalls, SeeTheVariablesOfTheirDefinition) {
  EXPECT_THAT(jq("def f(g): def h: g; 5 as $x | h; 1 as $x | f($x, 2 as $y | $y + $x)"),
              ElementsAre("1", "3"));
  EXPECT_THAT(jq("[recurse((1, 2) as $i | select(. < 5) | . + $i)]", "3"),
              ElementsAre("[3,4,5,6,5]"));
}

TEST(JqUpdates, ChangeInPlaceAndLeaveTheInputAlone) {
  EXPECT_THAT(jq("(.a.b |= . + 1), .", R"({"a":{"b":1.5},"c":1.50})"),
              ElementsAre(R"({"a":{"b":2.5},"c":1.50})", R"({"a":{"b":1.5},"c":1.50})"));
  EXPECT_THAT(jq("reduce .[] as $x ({}; .[$x] += 1)", R"(["a","b","a"])"),
              ElementsAre(R"({"a":2,"b":1})"));
  EXPECT_THAT(jq("(.[] | select(. > 2)) |= empty", "[1,2,3,4]"), ElementsAre("[1,2]"));
}

TEST(JqUpdates, OfAVariableAreRefused) {
  EXPECT_THAT(jq(". as $x | $x.a = 1", "{}"),
              ElementsAre(HasSubstr("Invalid path expression near attempt to access element")));
}

TEST(JqPatterns, RunAsRe2) {
  EXPECT_THAT(jq("capture(\"(?<y>\\\\d+)-(?<m>\\\\d+)\")", "\"2026-03\""),
              ElementsAre(R"({"y":"2026","m":"03"})"));
  EXPECT_THAT(jq("gsub(\"\\\\s+\"; \" \")", "\"a  b \\t c\""), ElementsAre("\"a b c\""));
  EXPECT_THAT(jq("test(\"(?=a)\")", "\"a\""), ElementsAre(HasSubstr("is not a valid regex")));
}

TEST(JqPatterns, KnowTheFlagMOneNameTwiceAndQuotes) {
  EXPECT_THAT(jq("[match(\"a.b\"; \"m\").string]", "\"a\\nb\""), ElementsAre("[\"a\\nb\"]"));
  EXPECT_THAT(jq("capture(\"(?<n>a)(?<n>b)\")", "\"ab\""), ElementsAre("{\"n\":\"b\"}"));
  EXPECT_THAT(jq("test(\"\\\\Q[\\\\E(?<n>b)\"), test(\"\\\\Q[b\")", "\"a[b\""),
              ElementsAre("true", "true"));
  EXPECT_THAT(jq("[sub(\"(?<x>b)\"; \"1\", \"2\")], gsub(\"\"; \"-\")", "\"abc\""),
              ElementsAre("[\"a1c\",\"a2c\"]", "\"-a-b-c-\""));
}

TEST(JqDates, AreUtc) {
  EXPECT_THAT(jq("todate, (todate | fromdate), strftime(\"%A\")", "1425599621"),
              ElementsAre("\"2015-03-05T23:53:41Z\"", "1425599621", "\"Thursday\""));
  EXPECT_THAT(jq("now"), ElementsAre(HasSubstr("now is not available")));
}

TEST(JqDates, DoNotKnowTheMachinesZone) {
  ::setenv("TZ", "EST5", 1);
  ::tzset();
  EXPECT_THAT(jq("0 | strftime(\"%s %%s\")"), ElementsAre("\"0 %s\""));
  EXPECT_THAT(jq("\"0\" | strptime(\"%s\")"), ElementsAre(HasSubstr("time zone")));
  ::unsetenv("TZ");
  ::tzset();
}

TEST(JqRunner, GivesNamedVariables) {
  const std::vector<std::string> names = {"rate", "who"};
  const auto program = JqProgram::compile("{rate: $rate, who: $who}", names);
  const auto values = JsonDocument::parse(R"([1.50, "me"])");
  const auto input = JsonDocument::parse("null");
  class Text : public JqSink {
   public:
    bool take(const JqOutput& output) override {
      output.append_json(text, {.indent = 2, .sort_keys = true});
      return true;
    }
    std::string text;
  } sink;

  JqRunner runner;
  ASSERT_TRUE(runner.run(*program, input->root(), sink, values->root().elements()));

  EXPECT_EQ(sink.text, "{\n  \"rate\": 1.50,\n  \"who\": \"me\"\n}");
}

TEST(JqRunner, CollectsMessagesAndHalts) {
  std::vector<std::string> messages;
  JqOptions options;
  options.messages = &messages;

  EXPECT_THAT(jq("1, (2 | debug), halt, 3", "null", options), ElementsAre("1", "2"));
  EXPECT_THAT(messages, ElementsAre(R"(["DEBUG:",2])"));
}

TEST(JqRunner, KeepsTheInputOut) {
  EXPECT_THAT(jq("env"), ElementsAre(HasSubstr("env is not available")));
  EXPECT_THAT(jq("$ENV"), ElementsAre(HasSubstr("$ENV is not available")));
  EXPECT_THAT(jq("input"), ElementsAre(HasSubstr("input and inputs are not available")));
  EXPECT_THAT(jq("import \"a\" as a; 1"), ElementsAre(HasSubstr("programs have no modules")));
}

}  // namespace
}  // namespace weft::mapping
