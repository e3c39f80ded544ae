#include "http/api_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::http {
namespace {

std::string key_of(std::vector<Field> fields) {
  RequestHead head;
  head.fields = fields;
  return std::string(api_key_of(head));
}

TEST(ApiKey, IsTheTokenOfTheBearerSchemeInAnyCase) {
  for (const auto* scheme : {"Bearer", "bearer", "BEARER"}) {
    const auto value = std::string(scheme) + " k";
    EXPECT_EQ(key_of({{"authorization", value}}), "k") << scheme;
  }
  EXPECT_EQ(key_of({{"AUTHORIZATION", "Bearer   k"}}), "k");
}

TEST(ApiKey, IsNoneOfOtherSchemesAndOfShortFields) {
  for (const auto* value : {"", "Bearer", "Bearer ", "Basic k", "Bearerk", "k"}) {
    EXPECT_EQ(key_of({{"Authorization", value}}), "") << value;
  }
  EXPECT_EQ(key_of({}), "");
}

TEST(ApiKey, IsTheOneOfItsOwnFieldBeforeTheBearerToken) {
  EXPECT_EQ(key_of({{"Authorization", "Bearer b"}, {"x-Api-Key", "k"}}), "k");
  EXPECT_EQ(key_of({{"X-API-KEY", "k"}, {"Authorization", "Bearer b"}}), "k");
}

}  // namespace
}  // namespace weft::http
