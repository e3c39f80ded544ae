#include "contracts/business_keys.h"

#include <gmock/gmock.h>

namespace weft::contracts {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Result<std::vector<BusinessKey>> keys_of(std::string schema) {
  auto document = JsonDocument::parse(std::move(schema));
  EXPECT_TRUE(document);
  return business_keys(document->root());
}

std::vector<std::string> found_in(const std::vector<BusinessKey>& keys, std::string payload) {
  auto document = JsonDocument::parse(std::move(payload));
  std::vector<std::string> texts;
  for (const auto& found : find_business_keys(keys, document->root())) {
    texts.push_back(std::string(found.attribute) + "=" + found.value);
  }
  return texts;
}

TEST(BusinessKeys, AreFoundWhereTheSchemaMarksThem) {
  auto keys = keys_of(R"({
    "properties": {
      "orderId": {"type": "string", "x-weft-business-key": true},
      "total": {"type": "number", "x-weft-business-key": false},
      "customer": {"$ref": "#/$defs/Customer"}},
    "allOf": [{"properties": {"a/b~c": {"x-weft-business-key": "odd"}}}],
    "$defs": {"Customer": {"properties": {"number": {"x-weft-business-key": "customer"}}}}})");

  ASSERT_TRUE(keys) << keys.error().message;
  EXPECT_THAT(
      found_in(*keys,
               R"({"orderId": "SO-4711", "total": 3, "customer": {"number": 12}, "a/b~c": "x"})"),
      testing::UnorderedElementsAre("weft.business_key=SO-4711", "weft.business_key.customer=12",
                                    "weft.business_key.odd=x"));
}

TEST(BusinessKeys, LeaveOutWhatIsMissingOrNoKey) {
  auto keys = keys_of(R"({"properties": {"id": {"x-weft-business-key": true}}})");
  ASSERT_TRUE(keys);

  EXPECT_THAT(found_in(*keys, "{}"), IsEmpty());
  EXPECT_THAT(found_in(*keys, R"({"id": null})"), IsEmpty());
  EXPECT_THAT(found_in(*keys, R"({"id": {"a": 1}})"), IsEmpty());
  EXPECT_THAT(found_in(*keys, R"({"id": ""})"), IsEmpty());
  EXPECT_THAT(found_in(*keys, R"({"id": ")" + std::string(129, 'x') + R"("})"), IsEmpty());
  EXPECT_THAT(found_in(*keys, "[1]"), IsEmpty());
  EXPECT_THAT(found_in(*keys, R"({"id": "x"})"), ElementsAre("weft.business_key=x"));
}

TEST(BusinessKeys, OfASchemaThatRefersToItselfEnd) {
  auto keys = keys_of(
      R"({"properties": {"id": {"x-weft-business-key": true}, "child": {"$ref": "#/$defs/none"}},
                          "allOf": [{"$ref": "#/$defs/loop"}], "$defs": {"loop": {"$ref": "#/$defs/loop"}}})");

  ASSERT_TRUE(keys) << keys.error().message;
  EXPECT_EQ(keys->size(), 1U);
}

TEST(BusinessKeys, RefuseWhatCannotBeMeant) {
  EXPECT_THAT(keys_of(R"({"properties": {"a": {"x-weft-business-key": 1}}})").error().message,
              HasSubstr("'/a'"));
  EXPECT_THAT(
      keys_of(R"({"properties": {"a": {"x-weft-business-key": "no space"}}})").error().message,
      HasSubstr("letters"));
  EXPECT_THAT(
      keys_of(
          R"({"properties": {"a": {"x-weft-business-key": true}, "b": {"x-weft-business-key": true}}})")
          .error()
          .message,
      HasSubstr("a name of its own"));
  std::string many;
  for (int i = 0; i < 5; ++i) {
    many += (i == 0 ? "" : ",") + std::string("\"p") + std::to_string(i) +
            R"(": {"x-weft-business-key": "n)" + std::to_string(i) + "\"}";
  }
  EXPECT_THAT(keys_of(R"({"properties": {)" + many + "}}").error().message, HasSubstr("at most 4"));
}

}  // namespace
}  // namespace weft::contracts
