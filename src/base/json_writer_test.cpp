#include "base/json_writer.h"

#include <gmock/gmock.h>

#include <limits>

namespace weft {
namespace {

TEST(JsonWriter, PlacesCommasAndQuotes) {
  JsonWriter w;
  w.object().key("name").value("x").key("lines").array();
  w.object().member("n", 1).member("ok", true).end();
  w.raw("19.90").null().array().end().value(2.5).end();
  w.key("last").value(std::uint64_t{18446744073709551615u}).end();

  EXPECT_EQ(
      w.text(),
      R"({"name":"x","lines":[{"n":1,"ok":true},19.90,null,[],2.5],"last":18446744073709551615})");
}

TEST(JsonWriter, EscapesWhatMustBeEscaped) {
  EXPECT_EQ(json_quoted("a\"b\\c\n\r\t\b\f\x01 é€😀/"),
            "\"a\\\"b\\\\c\\n\\r\\t\\b\\f\\u0001 é€😀/\"");
}

TEST(JsonWriter, FindsAByteThatNeedsCareAtEveryPlaceOfEveryLength) {
  for (std::size_t size = 0; size <= 40; ++size) {
    const std::string plain(size, 'x');
    EXPECT_EQ(json_quoted(plain), '"' + plain + '"');
    for (std::size_t at = 0; at < size; ++at) {
      std::string text = plain;
      text[at] = '\n';
      EXPECT_EQ(json_quoted(text), '"' + plain.substr(0, at) + "\\n" + plain.substr(at + 1) + '"');
    }
  }
}

TEST(JsonWriter, KeepsEveryByteWhileItsBufferGrows) {
  JsonWriter writer;
  writer.array();
  std::string expected = "[";
  for (std::size_t size = 0; size < 100; ++size) {
    const std::string plain(size, 'x');
    writer.value(plain).value(plain + "\"");
    expected += fmt::format("{}\"{}\",\"{}\\\"\"", size == 0 ? "" : ",", plain, plain);
  }
  writer.end();

  EXPECT_EQ(writer.text(), expected + "]");
}

TEST(JsonWriter, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(json_quoted("a\xff\xc0z"), "\"a\xef\xbf\xbd\xef\xbf\xbdz\"");
}

TEST(JsonWriter, WritesDoublesSoThatTheyReadBack) {
  JsonWriter w;
  w.array().value(0.1).value(1e22).value(-0.0).value(std::numeric_limits<double>::infinity()).end();

  EXPECT_EQ(w.text(), "[0.1,1e+22,-0,null]");
}

TEST(JsonWriter, AppendsToAGivenBuffer) {
  JsonWriter w(std::string("data: "));
  w.array().value(std::int64_t{-7}).end();

  EXPECT_EQ(std::move(w).text(), "data: [-7]");
}

TEST(JsonWriter, CopiesTreesByteForByte) {
  const auto document = JsonDocument::parse(R"({ "price" : 19.90, "tags":["\u0061"] })");
  ASSERT_TRUE(document.has_value());

  JsonWriter w;
  w.object().member("order", document->root()).end();

  EXPECT_EQ(w.text(), R"({"order":{ "price" : 19.90, "tags":["\u0061"] }})");
}

}  // namespace
}  // namespace weft
