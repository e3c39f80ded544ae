#include "contracts/core/name_table.h"

#include <gtest/gtest.h>

namespace weft::contracts {
namespace {

TEST(NameTable, FindsItsNamesAndNoOthers) {
  const std::vector<std::string> names = {"",
                                          "a",
                                          "ab",
                                          "ba",
                                          "id",
                                          "total",
                                          "currency",
                                          "customerId",
                                          "unitPrice",
                                          "exactly-sixteen-",
                                          "a name of more than sixteen bytes"};
  const NameTable table(names);

  for (std::uint32_t i = 0; i < names.size(); ++i) EXPECT_EQ(table.find(names[i]), i) << names[i];
  for (const char* other :
       {"b", "aa", "di", "totaL", "currency ", "exactly-sixteen+",
        "a name of MORE than sixteen bytes", "a name of more than sixteen byte"})
    EXPECT_EQ(table.find(other), NameTable::kAbsent) << other;
}

TEST(NameTable, IsEmptyByDefault) {
  EXPECT_EQ(NameTable().find(""), NameTable::kAbsent);
  EXPECT_EQ(NameTable(std::vector<std::string>()).find("x"), NameTable::kAbsent);
}

TEST(NameTable, WorksWhereNoHashTellsTheNamesApart) {
  // Equal ends and equal length.
  std::vector<std::string> names;
  for (char c = 'a'; c <= 'z'; ++c) names.push_back(std::string("12345678") + c + "12345678");
  const NameTable table(names);

  for (std::uint32_t i = 0; i < names.size(); ++i) EXPECT_EQ(table.find(names[i]), i);
  EXPECT_EQ(table.find("12345678A12345678"), NameTable::kAbsent);
}

TEST(NameTable, HoldsThousands) {
  std::vector<std::string> names;
  for (int i = 0; i < 5000; ++i) names.push_back("member_" + std::to_string(i));
  const NameTable table(names);

  for (std::uint32_t i = 0; i < names.size(); ++i) ASSERT_EQ(table.find(names[i]), i);
  EXPECT_EQ(table.find("member_5000"), NameTable::kAbsent);
}

}  // namespace
}  // namespace weft::contracts
