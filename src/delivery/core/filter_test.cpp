#include "delivery/core/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::delivery {
namespace {

Filter filter(std::string text) {
  auto document = JsonDocument::parse(std::move(text));
  EXPECT_TRUE(document.has_value());
  return Filter::parse(document->root());
}

eventlog::Record event(std::vector<std::pair<std::string, std::string>> headers) {
  eventlog::Record record;
  record.offset = 7;
  record.headers = std::move(headers);
  return record;
}

bool matches(const std::string& text, const eventlog::Record& record) {
  return filter(text).matches(eventlog::EventView(record, "orders.order.created.v1", 0));
}

TEST(Filter, WithoutConditionsTakesEveryEvent) {
  EXPECT_TRUE(matches("{}", event({})));
}

TEST(Filter, TakesAnyOfItsTypes) {
  const std::string text = R"({"types": ["order.created", "order.paid"]})";

  EXPECT_TRUE(matches(text, event({{"ce_type", "order.paid"}})));
  EXPECT_FALSE(matches(text, event({{"ce_type", "order.shipped"}})));
  EXPECT_FALSE(matches(text, event({{"ce_type", "order.paid.v2"}}))) << "equality, not a prefix";
}

TEST(Filter, TheTypeOfABareRecordIsItsStream) {
  EXPECT_TRUE(matches(R"({"types": ["orders.order.created.v1"]})", event({})));
}

TEST(Filter, AllAttributesMustMatch) {
  const std::string text = R"({"attributes": {"source": "/shop", "region": ["eu", "us"]}})";

  EXPECT_TRUE(matches(text, event({{"ce_source", "/shop"}, {"ce_region", "us"}})));
  EXPECT_FALSE(matches(text, event({{"ce_source", "/shop"}, {"ce_region", "asia"}})));
  EXPECT_FALSE(matches(text, event({{"ce_source", "/erp"}, {"ce_region", "us"}})));
  EXPECT_FALSE(matches(text, event({{"ce_source", "/shop"}})))
      << "an absent attribute equals nothing";
}

TEST(Filter, ShowsItselfAsPeopleSayIt) {
  EXPECT_EQ(filter(R"({"types": ["a", "b"], "attributes": {"source": "/shop"}})").text(),
            "type = a or b, source = /shop");
}

}  // namespace
}  // namespace weft::delivery
