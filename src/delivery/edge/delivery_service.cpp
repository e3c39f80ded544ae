#include "delivery/delivery_service.h"

#include <algorithm>

#include "delivery/edge/delivery_state.h"
#include "runtime/on_loop.h"

namespace weft::delivery {

namespace {

using Subscriptions = std::vector<SubscriptionRef>;

Task<std::vector<SubscriptionStatus>> statuses_on_loop(std::shared_ptr<LoopWorker> worker,
                                                       std::string tenant) {
  co_return worker->statuses(tenant);
}

}  // namespace

bool Share::has(std::string_view tenant, std::string_view subscription) const {
  return share_of(tenant, subscription, count) == number;
}

std::int32_t share_of(std::string_view tenant, std::string_view subscription, std::int32_t count) {
  const auto hash = fnv1a(fmt::format("{}/{}", tenant, subscription));
  return static_cast<std::int32_t>(hash % static_cast<std::uint64_t>(count));
}

DeliveryService::State::State(DeliveryParts parts)
    : context(std::move(parts)), compiler(context.parts.secrets) {
  context.on_fenced = [this] { stop(); };
  for (const auto& loop : context.parts.loops) {
    loops.push_back(std::make_shared<LoopWorker>(context, loop, loops.empty()));
  }
}

std::size_t DeliveryService::State::loop_of(const std::string& tenant,
                                            const std::string& name) const {
  return fnv1a(tenant + "/" + name) % loops.size();
}

DeliveryService::DeliveryService(DeliveryParts parts)
    : state_(std::make_unique<State>(std::move(parts))) {
  ENSURE(!state_->loops.empty(), "delivery has a loop");
}

DeliveryService::~DeliveryService() = default;

Task<Result<>> DeliveryService::start() {
  return restore_state(state_->context);
}

Task<void> DeliveryService::run(std::size_t loop) {
  auto worker = state_->loops.at(loop);
  return worker->run(worker);
}

void DeliveryService::State::stop() {
  for (std::size_t i = 0; i < loops.size(); ++i) {
    post_to(executor(i), [worker = loops[i]] { worker->stop(); });
  }
}

void DeliveryService::stop() {
  state_->stop();
}

Result<std::shared_ptr<const void>> DeliveryService::compile(const estate::EstateView& view) {
  TRY(auto subscriptions, state_->compiler.compile(view));
  return std::make_shared<const Subscriptions>(std::move(subscriptions));
}

std::uint64_t DeliveryService::compilations() const {
  return state_->compiler.compilations();
}

void DeliveryService::publish(std::uint64_t, std::shared_ptr<const void> snapshot) {
  set_subscriptions(*static_cast<const Subscriptions*>(snapshot.get()));
}

void DeliveryService::set_subscriptions(Subscriptions subscriptions) {
  std::vector<Subscriptions> by_loop(state_->loops.size());
  const auto& share = state_->context.parts.share;
  for (auto& subscription : subscriptions) {
    if (!share.has(subscription->tenant, subscription->name)) continue;
    auto loop = state_->loop_of(subscription->tenant, subscription->name);
    by_loop[loop].push_back(std::move(subscription));
  }
  for (std::size_t i = 0; i < by_loop.size(); ++i) {
    post_to(state_->executor(i),
            [worker = state_->loops[i], mine = std::move(by_loop[i])]() mutable {
              worker->set_subscriptions(std::move(mine));
            });
  }
}

Task<std::vector<SubscriptionStatus>> DeliveryService::subscriptions(std::string tenant) {
  std::vector<SubscriptionStatus> out;
  for (std::size_t i = 0; i < state_->loops.size(); ++i) {
    auto part = co_await on_loop(state_->executor(i), statuses_on_loop(state_->loops[i], tenant));
    out.insert(out.end(), std::make_move_iterator(part.begin()),
               std::make_move_iterator(part.end()));
  }
  auto by_name = [](const SubscriptionStatus& s) { return std::tie(s.name, s.tenant); };
  std::ranges::sort(out, {}, by_name);
  co_return out;
}

Task<Result<SubscriptionStatus>> DeliveryService::subscription(std::string tenant,
                                                               std::string name) {
  auto loop = state_->loop_of(tenant, name);
  auto all =
      co_await on_loop(state_->executor(loop), statuses_on_loop(state_->loops[loop], tenant));
  auto found = std::ranges::find(all, name, &SubscriptionStatus::name);
  if (found == all.end()) co_return fail(ErrorCode::NotFound, "there is no subscription {}", name);
  co_return std::move(*found);
}

Task<DeliveryTotals> Deliveries::totals(std::string tenant) {
  auto all = co_await subscriptions(std::move(tenant));
  DeliveryTotals out;
  for (const auto& one : all) {
    out.delivered += one.delivered;
    out.failed_attempts += one.failed_attempts;
    out.failures_recent += one.failures_recent;
    out.pending += one.in_flight + one.held + one.failing + one.lag_records;
    out.failing += one.failing;
    out.dead += one.dead;
  }
  co_return out;
}

}  // namespace weft::delivery
