#include "delivery/core/delivery_id.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::delivery {
namespace {

const Uuid kTopic = Uuid::v4(1, 2);

TEST(DeliveryId, IsTheSameForTheSameEventAndSubscription) {
  EXPECT_EQ(delivery_id(delivery_prefix("default", "crm", kTopic), 0, 1041),
            delivery_id(delivery_prefix("default", "crm", kTopic), 0, 1041));
}

TEST(DeliveryId, DiffersInEachOfItsParts) {
  std::vector<std::string> ids = {
      delivery_id(delivery_prefix("default", "crm", kTopic), 0, 1),
      delivery_id(delivery_prefix("acme", "crm", kTopic), 0, 1),
      delivery_id(delivery_prefix("default", "erp", kTopic), 0, 1),
      delivery_id(delivery_prefix("default", "crm", Uuid::v4(9, 2)), 0, 1),
      delivery_id(delivery_prefix("default", "crm", kTopic), 1, 1),
      delivery_id(delivery_prefix("default", "crm", kTopic), 0, 11),
      delivery_id(delivery_prefix("default", "a.b", kTopic), 0, 1),
      delivery_id(delivery_prefix("default", "a_b", kTopic), 0, 1),
  };

  std::ranges::sort(ids);

  EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
}

TEST(DeliveryId, HasNoFullStopBecauseTheSignatureSeparatesWithIt) {
  EXPECT_EQ(delivery_prefix("default", "crm.eu.v1", kTopic).find('.'), std::string::npos);
}

TEST(DeliveryId, CanBeTakenApart) {
  auto prefix = delivery_prefix("default", "crm-eu", kTopic);
  auto text = delivery_id(prefix, 12, 3'000'000'000);

  auto id = parse_delivery_id(text);

  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->prefix, prefix);
  EXPECT_EQ(id->partition, 12);
  EXPECT_EQ(id->offset, 3'000'000'000);
}

TEST(DeliveryId, OtherTextsAreNoDeliveries) {
  for (auto text :
       {"", "crm", "crm-1", "-1-2", "crm-a-1", "crm-1-", "crm-1-99999999999999999999"}) {
    EXPECT_FALSE(parse_delivery_id(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace weft::delivery
