#include "delivery/delivery_types.h"

namespace weft::delivery {

std::string_view name(DeliveryStatus status) {
  switch (status) {
    case DeliveryStatus::Pending:
      return "pending";
    case DeliveryStatus::Failing:
      return "failing";
    case DeliveryStatus::Delivered:
      return "delivered";
    case DeliveryStatus::Dead:
      return "dead";
  }
  return "pending";
}

std::optional<DeliveryStatus> parse_delivery_status(std::string_view text) {
  for (auto status : {DeliveryStatus::Pending, DeliveryStatus::Failing, DeliveryStatus::Delivered,
                      DeliveryStatus::Dead}) {
    if (name(status) == text) return status;
  }
  return std::nullopt;
}

std::string_view name(SubscriptionState state) {
  switch (state) {
    case SubscriptionState::Active:
      return "active";
    case SubscriptionState::Paused:
      return "paused";
    case SubscriptionState::Disabled:
      return "disabled";
    case SubscriptionState::Elsewhere:
      return "elsewhere";
  }
  return "active";
}

}  // namespace weft::delivery
