// The part of the delivery service that lives on one loop: its subscriptions, their journal, and
// one timer for all that is due.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "delivery/edge/subscription_worker.h"

namespace weft::delivery {

class LoopWorker : public std::enable_shared_from_this<LoopWorker> {
 public:
  // `carries_rest`: this loop also rewrites the saved state that no subscription has asked for.
  LoopWorker(DeliveryContext& context, Executor loop, bool carries_rest);
  ~LoopWorker();

  // All calls on the loop. run() ends after stop(), when outcomes are recorded; when it is
  // cancelled, attempts under way are cut off.
  Task<void> run(std::shared_ptr<LoopWorker> self);
  void stop();
  void set_subscriptions(std::vector<SubscriptionRef> subscriptions);
  // Null when it is not this loop's.
  std::shared_ptr<SubscriptionWorker> find(const std::string& tenant,
                                           const std::string& name) const;
  std::vector<SubscriptionStatus> statuses(const std::string& tenant) const;

 private:
  using Key = std::pair<std::string, std::string>;  // tenant, name
  using Workers = std::map<Key, std::shared_ptr<SubscriptionWorker>>;

  void reconcile();
  Task<void> keep_time(std::shared_ptr<LoopWorker> self);
  void look_around_if_due();
  Duration nap();
  Task<Result<>> until_cut_short();
  void cut_nap_short();
  Task<void> end_drain();
  std::vector<eventlog::NewRecord> everything() const;

  DeliveryContext& context_;
  TaskGroup journal_task_;
  TaskGroup workers_tasks_;
  TaskGroup readers_;
  TaskGroup attempts_;
  TaskGroup timers_;
  Journal journal_;
  Workers workers_;
  std::map<Key, SubscriptionRef> desired_;
  Suspension changed_;
  Suspension nap_;
  WallTime look_around_at_;
  WallTime napping_until_;
  bool nap_is_cut_ = false;
  bool carries_rest_;
  bool is_running_ = false;
  bool stopping_ = false;
};

}  // namespace weft::delivery
