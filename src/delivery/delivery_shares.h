// Deliveries of several processes over one log. The subscriptions fall into shares by their names;
// a process carries out the shares that it holds at the moment, each by a DeliveryService of its
// own, and who holds which is decided elsewhere (eventlog/kafka_cluster/share_group.h). A share
// that changes hands goes on where it stood: the new holder fences the old one, then reads what
// that one recorded. What the old one had under way is delivered again.
//
//   DeliveryShares deliveries(parts, 16);
//   deliveries.take(3); … co_await deliveries.give_up({3});
//
// Threads: publish() on the estate's thread, all else from any thread or loop.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "delivery/delivery_service.h"

namespace weft::delivery {

class DeliveryIndex;
class SubscriptionCompiler;

// Makes the internal streams of deliveries, with a partition for each share; how many they have, if
// another process has made them with another number.
Task<Result<std::int32_t>> prepare_shares(eventlog::EventLog& log, const DeliveryLimits& limits,
                                          std::int32_t wanted);

class DeliveryShares final : public Deliveries, public estate::Compiler {
 public:
  // The shares are spread over parts.loops; parts.share and parts.index are set for each. A process
  // that was fenced begins a share that it still holds again after `fence_pause`: by then it has
  // heard whether the share is another's.
  DeliveryShares(DeliveryParts parts, std::int32_t count, Duration fence_pause = 20s);
  ~DeliveryShares() override;  // after all are given up

  // Carries the share out from now on; where the log does not answer, again and again.
  void take(std::int32_t share);
  // Returns when nothing is done for them any more: attempts under way got `drain` to end.
  Task<void> give_up(std::vector<std::int32_t> shares);
  std::vector<std::int32_t> held() const;

  // The estate's port.
  std::string_view name() const override { return "delivery"; }
  std::vector<std::string> kinds() const override { return {"Subscription"}; }
  std::uint64_t compilations() const override;
  Result<std::shared_ptr<const void>> compile(const estate::EstateView& view) override;
  void publish(std::uint64_t generation, std::shared_ptr<const void> snapshot) override;
  void set_subscriptions(std::vector<SubscriptionRef> subscriptions);

  // Of subscriptions that another process carries out it is known that it does
  // (SubscriptionState::Elsewhere); what is asked of them fails with FailedPrecondition.
  Task<std::vector<SubscriptionStatus>> subscriptions(std::string tenant) override;
  Task<Result<SubscriptionStatus>> subscription(std::string tenant, std::string name) override;
  DeliveryPage list(const DeliveryQuery& query) const override;
  Task<Result<DeliveryDetail>> show(std::string tenant, std::string id) override;
  Task<Result<DeliverySummary>> redrive(std::string tenant, std::string id,
                                        std::string actor) override;
  Task<Result<std::uint64_t>> redrive_all(std::string tenant, std::string subscription,
                                          std::string actor) override;
  Task<Result<>> enable(std::string tenant, std::string subscription) override;

 private:
  struct Held;
  using ServicePtr = std::shared_ptr<DeliveryService>;

  Task<void> carry_out(std::shared_ptr<Held> held);
  ServicePtr begin(Held& held);
  void forget(const Share& share);
  std::vector<ServicePtr> services() const;
  Result<ServicePtr> service_of(const std::string& tenant, const std::string& subscription) const;
  Result<ServicePtr> service_of_delivery(const std::string& tenant, const std::string& id) const;

  DeliveryParts parts_;
  const std::int32_t count_;
  const Duration fence_pause_;
  std::unique_ptr<DeliveryIndex> index_;
  std::unique_ptr<SubscriptionCompiler> compiler_;
  mutable std::mutex mutex_;  // over what follows
  std::vector<SubscriptionRef> subscriptions_;
  std::map<std::int32_t, std::shared_ptr<Held>> held_;
};

}  // namespace weft::delivery
