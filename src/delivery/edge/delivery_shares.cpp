#include "delivery/delivery_shares.h"

#include <algorithm>
#include <atomic>

#include "delivery/core/delivery_index.h"
#include "delivery/edge/delivery_context.h"
#include "delivery/edge/subscription_compiler.h"
#include "runtime/log.h"
#include "runtime/on_loop.h"
#include "runtime/task_group.h"

namespace weft::delivery {

namespace {

constexpr Duration kAgainAfter = 1s;

using Subscriptions = std::vector<SubscriptionRef>;

SubscriptionStatus status_elsewhere(const Subscription& subscription) {
  SubscriptionStatus out;
  out.tenant = subscription.tenant;
  out.name = subscription.name;
  out.owner = subscription.owner;
  out.streams = subscription.streams;
  out.url = subscription.url_text;
  out.filter = subscription.filter.text();
  out.state = SubscriptionState::Elsewhere;
  out.state_reason = "another node of the cluster carries it out; ask there";
  out.attempts_max = subscription.retry.attempts_max;
  out.age_max = subscription.retry.age_max;
  return out;
}

Task<void> join_on_loop(TaskGroup& tasks) {
  co_await tasks.join();
}

}  // namespace

Task<Result<std::int32_t>> prepare_shares(eventlog::EventLog& log, const DeliveryLimits& limits,
                                          std::int32_t wanted) {
  if (const auto known = log.find_stream(kInternalTenant, kCursorsStream))
    wanted = known->settings.partitions;
  CO_CHECK(co_await ensure_streams(log, limits, wanted));
  co_return wanted;
}

struct DeliveryShares::Held {
  Held(std::int32_t its_number, Executor its_loop)
      : number(its_number), loop(its_loop), tasks(its_loop, "delivery share", 1) {}

  const std::int32_t number;
  const Executor loop;
  TaskGroup tasks;
  std::atomic<bool> is_ending{false};
  ServicePtr service;  // of this life; under the mutex of the shares
};

DeliveryShares::DeliveryShares(DeliveryParts parts, std::int32_t count, Duration fence_pause)
    : parts_(std::move(parts)),
      count_(count),
      fence_pause_(fence_pause),
      index_(std::make_unique<DeliveryIndex>(
          IndexLimits{.delivered_max = parts_.limits.delivered_shown_max})),
      compiler_(std::make_unique<SubscriptionCompiler>(parts_.secrets)) {
  ENSURE(!parts_.loops.empty() && count > 0, "shares have a loop");
}

DeliveryShares::~DeliveryShares() {
  ENSURE(held_.empty(), "all shares are given up");
}

void DeliveryShares::take(std::int32_t share) {
  std::scoped_lock lock(mutex_);
  auto& held = held_[share];
  if (held) return;
  const auto turn = static_cast<std::size_t>(share) % parts_.loops.size();
  held = std::make_shared<Held>(share, parts_.loops[turn]);
  post_to(held->loop, [this, held] { held->tasks.spawn(carry_out(held)); });
}

Task<void> DeliveryShares::give_up(std::vector<std::int32_t> shares) {
  std::vector<std::shared_ptr<Held>> ending;
  {
    std::scoped_lock lock(mutex_);
    for (const auto share : shares) {
      const auto found = held_.find(share);
      if (found == held_.end()) continue;
      ending.push_back(found->second);
      found->second->is_ending = true;
      if (found->second->service) found->second->service->stop();
    }
  }
  for (const auto& held : ending) {
    co_await on_loop(held->loop, join_on_loop(held->tasks));
    forget({held->number, count_});
  }
  std::scoped_lock lock(mutex_);
  for (const auto& held : ending) held_.erase(held->number);
}

std::vector<std::int32_t> DeliveryShares::held() const {
  std::scoped_lock lock(mutex_);
  std::vector<std::int32_t> out;
  for (const auto& [share, held] : held_) out.push_back(share);
  return out;
}

// One life after the other: the log may be away, or fence this one although the share is still
// held.
Task<void> DeliveryShares::carry_out(std::shared_ptr<Held> held) {
  while (!held->is_ending) {
    auto service = begin(*held);
    auto started = co_await service->start();
    if (started && !held->is_ending) co_await service->run(0);
    if (held->is_ending) co_return;
    if (!started) {
      log_warn("delivery", "a share of the subscriptions cannot begin; trying again",
               {{"share", held->number}, {"why", started.error().message}});
    }
    forget({held->number, count_});
    // Who was fenced is about to hear that the share is another's: beginning again at once would
    // fence that one back.
    const auto until = parts_.clock.mono() + (started ? fence_pause_ : kAgainAfter);
    while (!held->is_ending && parts_.clock.mono() < until) {
      auto slept = co_await parts_.clock.sleep_for(kAgainAfter);
      if (!slept) co_return;
    }
  }
}

DeliveryShares::ServicePtr DeliveryShares::begin(Held& held) {
  auto parts = parts_;
  parts.loops = {held.loop};
  parts.share = {held.number, count_};
  parts.index = index_.get();
  auto service = std::make_shared<DeliveryService>(std::move(parts));
  std::scoped_lock lock(mutex_);
  service->set_subscriptions(subscriptions_);
  held.service = service;
  return service;
}

void DeliveryShares::forget(const Share& share) {
  index_->forget_if([&share](const DeliverySummary& delivery) {
    return share.has(delivery.tenant, delivery.subscription);
  });
}

std::uint64_t DeliveryShares::compilations() const {
  return compiler_->compilations();
}

Result<std::shared_ptr<const void>> DeliveryShares::compile(const estate::EstateView& view) {
  TRY(auto subscriptions, compiler_->compile(view));
  return std::make_shared<const Subscriptions>(std::move(subscriptions));
}

void DeliveryShares::publish(std::uint64_t, std::shared_ptr<const void> snapshot) {
  set_subscriptions(*static_cast<const Subscriptions*>(snapshot.get()));
}

void DeliveryShares::set_subscriptions(Subscriptions subscriptions) {
  std::scoped_lock lock(mutex_);
  subscriptions_ = std::move(subscriptions);
  for (const auto& [share, held] : held_) {
    if (held->service) held->service->set_subscriptions(subscriptions_);
  }
}

std::vector<DeliveryShares::ServicePtr> DeliveryShares::services() const {
  std::scoped_lock lock(mutex_);
  std::vector<ServicePtr> out;
  for (const auto& [share, held] : held_) {
    if (held->service) out.push_back(held->service);
  }
  return out;
}

Result<DeliveryShares::ServicePtr> DeliveryShares::service_of(
    const std::string& tenant, const std::string& subscription) const {
  std::scoped_lock lock(mutex_);
  const bool exists = std::ranges::any_of(subscriptions_, [&](const SubscriptionRef& one) {
    return one->tenant == tenant && one->name == subscription;
  });
  if (!exists) return fail(ErrorCode::NotFound, "there is no subscription {}", subscription);
  const auto held = held_.find(share_of(tenant, subscription, count_));
  if (held != held_.end() && held->second->service) return held->second->service;
  return fail(ErrorCode::FailedPrecondition,
              "another node of the cluster carries subscription {} out; ask there", subscription);
}

Result<DeliveryShares::ServicePtr> DeliveryShares::service_of_delivery(
    const std::string& tenant, const std::string& id) const {
  const auto entry = index_->find(id);
  if (entry && entry->delivery.tenant == tenant)
    return service_of(tenant, entry->delivery.subscription);
  return fail(ErrorCode::NotFound,
              "there is no delivery {} among those that are shown here; another node of the "
              "cluster may have it",
              id);
}

Task<std::vector<SubscriptionStatus>> DeliveryShares::subscriptions(std::string tenant) {
  std::vector<SubscriptionStatus> out;
  for (const auto& service : services()) {
    auto part = co_await service->subscriptions(tenant);
    out.insert(out.end(), std::make_move_iterator(part.begin()),
               std::make_move_iterator(part.end()));
  }
  const auto place = [](const SubscriptionStatus& s) { return std::tie(s.name, s.tenant); };
  std::ranges::sort(out, {}, place);
  const auto here = out.size();
  std::scoped_lock lock(mutex_);
  for (const auto& one : subscriptions_) {
    if (!tenant.empty() && one->tenant != tenant) continue;
    const auto end = out.begin() + static_cast<std::ptrdiff_t>(here);
    const bool is_here = std::ranges::binary_search(std::ranges::subrange(out.begin(), end),
                                                    std::tie(one->name, one->tenant), {}, place);
    if (!is_here) out.push_back(status_elsewhere(*one));
  }
  std::ranges::sort(out, {}, place);
  co_return out;
}

Task<Result<SubscriptionStatus>> DeliveryShares::subscription(std::string tenant,
                                                              std::string name) {
  auto all = co_await subscriptions(tenant);
  const auto found = std::ranges::find(all, name, &SubscriptionStatus::name);
  if (found == all.end()) co_return fail(ErrorCode::NotFound, "there is no subscription {}", name);
  co_return std::move(*found);
}

DeliveryPage DeliveryShares::list(const DeliveryQuery& query) const {
  return index_->list(query);
}

Task<Result<DeliveryDetail>> DeliveryShares::show(std::string tenant, std::string id) {
  CO_TRY(const auto service, service_of_delivery(tenant, id));
  co_return co_await service->show(std::move(tenant), std::move(id));
}

Task<Result<DeliverySummary>> DeliveryShares::redrive(std::string tenant, std::string id,
                                                      std::string actor) {
  CO_TRY(const auto service, service_of_delivery(tenant, id));
  co_return co_await service->redrive(std::move(tenant), std::move(id), std::move(actor));
}

Task<Result<std::uint64_t>> DeliveryShares::redrive_all(std::string tenant,
                                                        std::string subscription,
                                                        std::string actor) {
  CO_TRY(const auto service, service_of(tenant, subscription));
  co_return co_await service->redrive_all(std::move(tenant), std::move(subscription),
                                          std::move(actor));
}

Task<Result<>> DeliveryShares::enable(std::string tenant, std::string subscription) {
  CO_TRY(const auto service, service_of(tenant, subscription));
  co_return co_await service->enable(std::move(tenant), std::move(subscription));
}

}  // namespace weft::delivery
