// What lists, pages and the command line ask of deliveries, whoever carries them out. Any loop;
// results on the caller's loop.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "delivery/delivery_types.h"
#include "runtime/task.h"

namespace weft::delivery {

class Deliveries {
 public:
  virtual ~Deliveries() = default;

  // Sorted by name.
  virtual Task<std::vector<SubscriptionStatus>> subscriptions(std::string tenant) = 0;
  virtual Task<Result<SubscriptionStatus>> subscription(std::string tenant, std::string name) = 0;
  Task<DeliveryTotals> totals(std::string tenant);

  virtual DeliveryPage list(const DeliveryQuery& query) const = 0;
  // NotFound also for a delivered one that is no longer shown.
  virtual Task<Result<DeliveryDetail>> show(std::string tenant, std::string id) = 0;

  // Durable when it returns; the delivery is then pending again. FailedPrecondition when it is not
  // dead, its subscription is disabled or gone, or its event is lost. `actor` is who asks, for the
  // record.
  virtual Task<Result<DeliverySummary>> redrive(std::string tenant, std::string id,
                                                std::string actor) = 0;
  // All dead letters of one subscription; how many.
  virtual Task<Result<std::uint64_t>> redrive_all(std::string tenant, std::string subscription,
                                                  std::string actor) = 0;
  // Ends the state Disabled. Applying another endpoint URL does so too.
  virtual Task<Result<>> enable(std::string tenant, std::string subscription) = 0;
};

}  // namespace weft::delivery
