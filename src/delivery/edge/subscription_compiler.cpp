#include "delivery/edge/subscription_compiler.h"

namespace weft::delivery {

Result<std::vector<SubscriptionRef>> SubscriptionCompiler::compile(const estate::EstateView& view) {
  std::vector<SubscriptionRef> out;
  std::map<std::string, SubscriptionRef> kept;
  for (const auto& resource : view.of_kind("Subscription")) {
    auto& subscription = kept[resource->hash()];
    if (auto known = compiled_.find(resource->hash()); known != compiled_.end()) {
      subscription = known->second;
    } else {
      compilations_.fetch_add(1);
      auto parsed = parse_subscription(*resource, secrets_);
      if (!parsed) return std::unexpected(std::move(parsed).error().within(resource->id().text()));
      subscription = std::make_shared<const Subscription>(std::move(*parsed));
    }
    out.push_back(subscription);
  }
  compiled_ = std::move(kept);
  return out;
}

}  // namespace weft::delivery
