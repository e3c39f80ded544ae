#include "base/json.h"

#include <gmock/gmock.h>

#include "base/json_writer.h"

namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

JsonDocument parsed(std::string text) {
  auto document = JsonDocument::parse(std::move(text));
  EXPECT_TRUE(document.has_value()) << document.error().message;
  return document ? std::move(*document) : JsonDocument();
}

std::string refusal(std::string text, const JsonLimits& limits = {}) {
  const auto document = JsonDocument::parse(std::move(text), limits);
  return document ? "accepted" : document.error().message;
}

std::string nested(std::size_t levels) {
  return std::string(levels, '[') + std::string(levels, ']');
}

class ExactNumber : public testing::TestWithParam<const char*> {};

TEST_P(ExactNumber, KeepsItsLexemeThroughValueRawAndWriter) {
  const std::string lexeme = GetParam();
  const auto document = parsed("{\"n\": " + lexeme + " }");

  const Json* const number = document.root().find("n");

  ASSERT_NE(number, nullptr);
  EXPECT_EQ(number->number(), lexeme);
  EXPECT_EQ(number->raw(), lexeme);
  EXPECT_EQ(JsonWriter().array().value(*number).end().text(), "[" + lexeme + "]");
}

INSTANTIATE_TEST_SUITE_P(Lexemes, ExactNumber,
                         testing::Values("0", "-0", "19.99", "123456789012345678.12",
                                         "9007199254740993", "1e400", "-1E-400", "1.10",
                                         "100000000000000000000000000000000000000001"));

TEST(Json, ReadsEveryKindOfValue) {
  const auto document =
      parsed(R"( {"a":null,"b":true,"c":false,"d":-1.5e+3,"e":"x","f":[1,[]],"g":{}} )");

  const Json& root = document.root();
  EXPECT_TRUE(root.find("a")->is_null());
  EXPECT_TRUE(root.find("b")->as_bool());
  EXPECT_FALSE(root.find("c")->as_bool());
  EXPECT_EQ(root.find("d")->number(), "-1.5e+3");
  EXPECT_EQ(root.find("e")->as_string(), "x");
  EXPECT_EQ(root.find("f")->size(), 2u);
  EXPECT_EQ(root.find("g")->size(), 0u);
  EXPECT_EQ(root.find("missing"), nullptr);
  EXPECT_EQ(root.members()[4].key(), "e");
}

TEST(Json, UnescapesStrings) {
  const auto document =
      parsed(R"(["\"\\\/\b\f\n\r\t", "\u0041\u00e9\u20ac\ud83d\ude00", "plain é€😀", ""])");

  std::vector<std::string> texts;
  for (const Json& e : document.root().elements()) texts.emplace_back(e.as_string());
  EXPECT_THAT(texts, ElementsAre("\"\\/\b\f\n\r\t", "Aé€😀", "plain é€😀", ""));
  EXPECT_EQ(document.root().elements()[1].raw(), R"("\u0041\u00e9\u20ac\ud83d\ude00")");
}

TEST(Json, KnowsStringsOfOneByteCharacters) {
  const auto document = parsed(R"(["order", "caf\u00e9", "café", "\u0041"])");

  std::vector<bool> ascii;
  for (const Json& e : document.root().elements()) ascii.push_back(e.is_ascii());
  EXPECT_THAT(ascii, ElementsAre(true, false, false, true));
}

TEST(Json, PointsIntoTheSourceWhenNothingIsEscaped) {
  const auto document = parsed(R"({"name":"value that is longer than sixteen bytes"})");

  const std::string_view value = document.root().find("name")->as_string();
  EXPECT_GE(value.data(), document.text().data());
  EXPECT_LT(value.data(), document.text().data() + document.text().size());
}

struct BadText {
  std::string text;
  std::string message;
};
class RefusedText : public testing::TestWithParam<BadText> {};

TEST_P(RefusedText, SaysWhereAndWhy) {
  EXPECT_EQ(refusal(GetParam().text), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Texts, RefusedText,
    testing::Values(
        BadText{"", "line 1, column 1: expected a value, found the end of the text"},
        BadText{"{\n \"a\": 1,\n \"b\": 2 \"c\"}",
                "line 3, column 9: expected ',' or '}' after a member"},
        BadText{"[1 2]", "line 1, column 4: expected ',' or ']' after an element"},
        BadText{"[1,]", "line 1, column 4: expected a value"},
        BadText{"{\"a\":1,}", "line 1, column 8: expected a member's name in quotes"},
        BadText{"{a:1}", "line 1, column 2: expected a member's name in quotes"},
        BadText{"{\"a\" 1}", "line 1, column 6: expected ':' after a member's name"},
        BadText{"1 2", "line 1, column 3: expected the end of the text after the value"},
        BadText{"nul", "line 1, column 1: expected a value"},
        BadText{"01", "line 1, column 1: a number must not start with 0"},
        BadText{"-", "line 1, column 2: expected a digit"},
        BadText{"+1", "line 1, column 1: expected a value"},
        BadText{"1.", "line 1, column 3: expected a digit after the point"},
        BadText{".5", "line 1, column 1: expected a value"},
        BadText{"1e", "line 1, column 3: expected a digit in the exponent"},
        BadText{"NaN", "line 1, column 1: expected a value"},
        BadText{"\"abc", "line 1, column 5: a string has no end"},
        BadText{"\"abc\\", "line 1, column 5: a string has no end"},
        BadText{"\"a\tb\"", "line 1, column 3: a control character in a string must be escaped"},
        BadText{std::string("\"a\0b\"", 5),
                "line 1, column 3: a control character in a string must be escaped"},
        BadText{R"("\x")", "line 1, column 2: no such escape in JSON"},
        BadText{R"("\u12g4")", "line 1, column 2: expected four hexadecimal digits after \\u"},
        BadText{R"("\ud800")", "line 1, column 2: half of a surrogate pair"},
        BadText{R"("\ud800\u0041")", "line 1, column 2: half of a surrogate pair"},
        BadText{R"("\udc00")", "line 1, column 2: half of a surrogate pair"},
        BadText{"\"\xc0\xaf\"", "line 1, column 2: not UTF-8"},
        BadText{"\"\xed\xa0\x80\"", "line 1, column 2: not UTF-8"},
        BadText{"\"\xf5\x80\x80\x80\"", "line 1, column 2: not UTF-8"},
        BadText{"\"\xe2\x82\"", "line 1, column 2: not UTF-8"},
        BadText{"\"é\xff\"", "line 1, column 3: not UTF-8"},
        BadText{"\xef\xbb\xbf{}", "line 1, column 1: a byte order mark is not part of JSON"},
        BadText{"{\"a\":1,\n \"b\":2, \"a\":3}", "line 2, column 9: the key \"a\" is there twice"},
        BadText{"{\"a\":1,\"\\u0061\":3}", "line 1, column 8: the key \"\\u0061\" is there twice"},
        BadText{"[1", "line 1, column 3: expected ',' or ']' after an element"},
        BadText{"{\"a\":1]", "line 1, column 7: expected ',' or '}' after a member"}));

std::string wide_object(std::size_t members, const std::string& last) {
  std::string text = "{";
  for (std::size_t i = 0; i < members; ++i) text += fmt::format("\"field_{}\":{},", i, i);
  return text + last + "}";
}

TEST(Json, FindsEveryMemberOfALargeObject) {
  const auto document = parsed(wide_object(5000, "\"z\":1"));

  for (std::size_t i = 0; i < 5000; ++i) {
    const Json* const value = document.root().find(fmt::format("field_{}", i));
    ASSERT_NE(value, nullptr) << i;
    ASSERT_EQ(value->as_int64(), static_cast<std::int64_t>(i));
  }
  EXPECT_EQ(document.root().find("field_5000"), nullptr);
  EXPECT_EQ(document.root().members()[17].key(), "field_17") << "members keep the document's order";
}

TEST(Json, RefusesARepeatedKeyInALargeObject) {
  EXPECT_THAT(refusal(wide_object(5000, "\"field_4321\":1")),
              HasSubstr("the key \"field_4321\" is there twice"));
}

TEST(Json, IsCheckedWithoutATreeAsWithOne) {
  for (const char* text : {"null",
                           " [1, -2.5e+3, {\"a\\n\u00e9\": [[], {}]}, true] ",
                           "\"\\ud83d\\ude00\"",
                           "",
                           "[",
                           "[1,]",
                           "{\"a\":1,}",
                           "{\"a\" 1}",
                           R"({"a":1,"b":2,"a":3})",
                           R"({"a":{"a":{"a":1}},"b":{"a":2}})",
                           R"({"a":1,"\u0061":2})",
                           R"({"a":["a","a",{"a":"a"}],"b":"a"})",
                           R"([{"x":{"y":1,"y":1}}])",
                           R"({"":1,"":2})",
                           "{1:2}",
                           "[1}",
                           "{\"a\":1]",
                           "01",
                           "1.",
                           "nul",
                           "\"\\x\"",
                           "\"\xff\"",
                           "\"\\ud83d\"",
                           "1 2",
                           "\"\n\"",
                           "[[[[1]]], {\"a\": {\"b\": []}}]"}) {
    JsonParser parser;
    EXPECT_EQ(is_json(text), parser.parse(text).has_value()) << text;
  }
  std::string wide = "{";
  for (int i = 0; i < 100; ++i) wide += fmt::format(R"("key {}":{{"key":0}},)", i);
  EXPECT_TRUE(is_json(wide + R"("last":1})"));
  EXPECT_FALSE(is_json(wide + R"("key 7":1})"));
  EXPECT_TRUE(is_json(std::string(512, '[') + std::string(512, ']')));
  EXPECT_FALSE(is_json(std::string(513, '[') + std::string(513, ']')));
  EXPECT_TRUE(is_json("[[]]", {.depth_max = 2}));
  EXPECT_FALSE(is_json("[[[]]]", {.depth_max = 2}));
  EXPECT_FALSE(is_json("[1]", {.bytes_max = 2}));
}

TEST(Json, LimitsDepthWithoutUsingTheStack) {
  EXPECT_EQ(refusal(nested(512)), "accepted");
  EXPECT_THAT(refusal(nested(513)), HasSubstr("column 513: nested deeper than 512 levels"));
  EXPECT_THAT(refusal(nested(10'000)), HasSubstr("nested deeper than 512 levels"));
  EXPECT_THAT(refusal(std::string(5'000'000, '[')), HasSubstr("nested deeper than 512 levels"));
  EXPECT_EQ(refusal(nested(10'000), {.depth_max = 10'000}), "accepted");
  EXPECT_THAT(refusal(nested(10'001), {.depth_max = 1'000'000}), HasSubstr("10000 levels"));
}

TEST(Json, LimitsTheLengthOfTheText) {
  EXPECT_EQ(refusal("[1,2,3]", {.bytes_max = 6}), "the text has 7 bytes, the limit is 6");
  EXPECT_EQ(refusal("[1,2,3]", {.bytes_max = 7}), "accepted");
}

TEST(Json, ConvertsNumbers) {
  const auto document = parsed(R"([5, 5.0, 50e-1, 5.5, 9223372036854775807, 9223372036854775808,
                                   -9223372036854775808, 1e2, 1e400, -0])");

  std::vector<std::optional<std::int64_t>> integers;
  std::vector<bool> is_integer;
  for (const Json& e : document.root().elements()) {
    integers.push_back(e.as_int64());
    is_integer.push_back(e.is_integer());
  }
  const auto none = std::nullopt;
  EXPECT_THAT(integers, ElementsAre(5, 5, 5, none, INT64_MAX, none, INT64_MIN, 100, none, 0));
  EXPECT_THAT(is_integer, ElementsAre(true, true, true, false, true, true, true, true, true, true));
  EXPECT_EQ(document.root().elements()[3].as_double(), 5.5);
  EXPECT_TRUE(std::isinf(document.root().elements()[8].as_double()));
}

TEST(Json, ComparesAsJsonSchemaDoes) {
  const auto equal = [](const char* a, const char* b) {
    return parsed(a).root() == parsed(b).root();
  };

  EXPECT_TRUE(equal("1", "1.0"));
  EXPECT_TRUE(equal("[100]", "[1e2]"));
  EXPECT_TRUE(equal(R"({"a":1,"b":[2]})", R"({"b":[2.00],"a":1})"));
  EXPECT_TRUE(equal("9007199254740993", "9007199254740993.0"));
  EXPECT_FALSE(equal("9007199254740993", "9007199254740992"));
  EXPECT_FALSE(equal("1", "true"));
  EXPECT_FALSE(equal("0", "false"));
  EXPECT_FALSE(equal("[1,2]", "[2,1]"));
  EXPECT_FALSE(equal(R"({"a":1})", R"({"a":1,"b":1})"));
  EXPECT_FALSE(equal("\"1\"", "1"));
}

TEST(Json, FollowsPointers) {
  const auto document = parsed(R"({"a/b":{"m~n":[10,{"":7}]},"":1})");

  EXPECT_EQ(document.root().at_pointer(""), &document.root());
  EXPECT_EQ(document.root().at_pointer("/a~1b/m~0n/0")->number(), "10");
  EXPECT_EQ(document.root().at_pointer("/a~1b/m~0n/1/")->number(), "7");
  EXPECT_EQ(document.root().at_pointer("/")->number(), "1");
  EXPECT_EQ(document.root().at_pointer("/a~1b/m~0n/01"), nullptr);
  EXPECT_EQ(document.root().at_pointer("/a~1b/m~0n/2"), nullptr);
  EXPECT_EQ(document.root().at_pointer("/a~1b/m~0n/-"), nullptr);
  EXPECT_EQ(document.root().at_pointer("no-slash"), nullptr);
}

TEST(Json, FindsPointerAndPositionOfAPlaceInTheText) {
  const std::string text = "{\n  \"é\": [1,\n    {\"x/y\": true}]\n}";
  const auto document = parsed(text);

  const auto offset = static_cast<std::uint32_t>(text.find("true"));

  EXPECT_EQ(pointer_at(document.root(), offset), "/é/1/x~1y");
  EXPECT_EQ(pointer_at(document.root(), offset + 2), "/é/1/x~1y");
  EXPECT_EQ(pointer_at(document.root(), static_cast<std::uint32_t>(text.find("\"x/y\""))),
            "/é/1/x~1y");
  EXPECT_EQ(position_at(text, offset).line, 3u);
  EXPECT_EQ(position_at(text, offset).column, 13u);
  EXPECT_EQ(position_at(text, static_cast<std::uint32_t>(text.find(": ["))).column, 6u)
      << "columns count characters, not bytes";
  EXPECT_EQ(pointer_of(document.root(), *document.root().at_pointer("/é/1")), "/é/1");
  EXPECT_EQ(document.root().at_pointer("/é/1/x~1y")->offset(), offset);
}

TEST(Json, GivesRawTextOfContainers) {
  const auto document = parsed("{ \"a\" : [ 1.50 , {} ] , \"b\":2}");

  EXPECT_EQ(document.root().find("a")->raw(), "[ 1.50 , {} ]");
  EXPECT_EQ(document.root().find("a")->elements()[1].raw(), "{}");
}

TEST(Json, GivesRawTextOfEveryKindOfValue) {
  constexpr std::string_view kElements[] = {"null",    "true", "false",        "-1.50e3",
                                            R"("")",   "[]",   R"("a\/b")",    R"("\u0041é")",
                                            R"("aé")", "{}",   R"({"k\n": 1})"};
  std::string text;
  for (const std::string_view element : kElements)
    text.append(text.empty() ? "[ " : " , ").append(element);
  text += " ]";
  const auto document = parsed(text);

  EXPECT_EQ(document.root().raw(), text);
  ASSERT_EQ(document.root().size(), std::size(kElements));
  for (std::size_t i = 0; i < std::size(kElements); ++i)
    EXPECT_EQ(document.root().elements()[i].raw(), kElements[i]);
  EXPECT_EQ(document.root().elements().back().members()[0].key_value.raw(), R"("k\n")");
  EXPECT_EQ(Json().raw(), "");
}

TEST(Json, KnowsNumbersWithAMinus) {
  const auto document = parsed("[-1,-0,-2.5,1,0,1e-2]");
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(document.root().elements()[i].has_minus(), i < 3);
}

TEST(JsonDocument, StaysValidWhenMoved) {
  auto document = parsed("[\"\\u0041\", 2]");
  const Json* const second = &document.root().elements()[1];

  const JsonDocument moved = std::move(document);

  EXPECT_EQ(moved.root().elements()[0].as_string(), "A");
  EXPECT_EQ(second->number(), "2");
}

TEST(JsonParser, ForgetsTheTextBefore) {
  JsonParser parser;
  ASSERT_TRUE(parser.parse(R"({"first":[1,2,3]})"));
  EXPECT_FALSE(parser.parse("{\"broken\":").has_value());

  const auto second = parser.parse(R"({"second":"\n"})");

  ASSERT_TRUE(second.has_value());
  EXPECT_EQ((*second)->find("first"), nullptr);
  EXPECT_EQ((*second)->find("second")->as_string(), "\n");
}

}  // namespace
}  // namespace weft
