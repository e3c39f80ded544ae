#include "base/json_members.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

JsonDocument object_of(std::string text) {
  auto document = JsonDocument::parse(std::move(text));
  return document ? *std::move(document) : JsonDocument();
}

TEST(JsonMembers, OfTheAskedTypeAreGiven) {
  auto document = object_of(R"({"text": "a\"b", "number": 50e-1, "at": "2026-03-01T00:00:00Z"})");
  const auto& root = document.root();

  EXPECT_EQ(member_text(root, "text"), "a\"b");
  EXPECT_EQ(text_of(root, "text", "other"), "a\"b");
  EXPECT_EQ(member_integer(root, "number"), 5);
  EXPECT_EQ(member_count(root, "number"), 5U);
  EXPECT_EQ(member_time(root, "at"), *parse_rfc3339("2026-03-01T00:00:00Z"));
}

TEST(JsonMembers, ThatAreMissingAreAbsent) {
  auto document = object_of("{}");
  const auto& root = document.root();

  EXPECT_EQ(member_text(root, "text"), std::nullopt);
  EXPECT_EQ(text_of(root, "text"), "");
  EXPECT_EQ(text_of(root, "text", "other"), "other");
  EXPECT_EQ(member_integer(root, "number"), std::nullopt);
  EXPECT_EQ(member_count(root, "number"), std::nullopt);
  EXPECT_EQ(member_time(root, "at"), std::nullopt);
}

TEST(JsonMembers, OfAnotherTypeAreAbsent) {
  auto document = object_of(R"({"text": 1, "number": "1", "at": "soon", "fraction": 1.5})");
  const auto& root = document.root();

  EXPECT_EQ(member_text(root, "text"), std::nullopt);
  EXPECT_EQ(text_of(root, "text", "other"), "other");
  EXPECT_EQ(member_integer(root, "number"), std::nullopt);
  EXPECT_EQ(member_integer(root, "fraction"), std::nullopt);
  EXPECT_EQ(member_time(root, "at"), std::nullopt);
}

TEST(JsonMembers, ACountIsNotNegative) {
  auto document = object_of(R"({"number": -1})");

  EXPECT_EQ(member_integer(document.root(), "number"), -1);
  EXPECT_EQ(member_count(document.root(), "number"), std::nullopt);
}

TEST(JsonMembers, OfWhatIsNoObjectAreAbsent) {
  auto document = object_of(R"(["text"])");

  EXPECT_EQ(member_text(document.root(), "text"), std::nullopt);
}

}  // namespace
}  // namespace weft
