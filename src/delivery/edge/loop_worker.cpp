#include "delivery/edge/loop_worker.h"

#include <algorithm>

#include "runtime/on_loop.h"
#include "runtime/with_timeout.h"

namespace weft::delivery {

namespace {

constexpr std::size_t kSubscriptionsMax = 10'000;
constexpr std::size_t kReadersMax = 100'000;
constexpr Duration kLookAroundEvery = 1s;
constexpr Duration kNapMin = 1ms;

}  // namespace

LoopWorker::LoopWorker(DeliveryContext& context, Executor loop, bool carries_rest)
    : context_(context),
      journal_task_(loop, "delivery journal", 1),
      workers_tasks_(loop, "delivery subscriptions", kSubscriptionsMax),
      readers_(loop, "delivery readers", kReadersMax),
      attempts_(loop, "delivery attempts", context.parts.limits.attempts_max),
      timers_(loop, "delivery timers", 2),
      journal_(
          context,
          [this] {
            for (auto& [key, worker] : workers_) worker->wake();
          },
          [this] { return everything(); }),
      carries_rest_(carries_rest) {}

LoopWorker::~LoopWorker() = default;

Task<void> LoopWorker::run(std::shared_ptr<LoopWorker> self) {
  is_running_ = true;
  journal_task_.spawn(journal_.run());
  timers_.spawn(keep_time(self));
  reconcile();
  bool is_cut_off = false;
  while (!stopping_) {
    auto woken = co_await changed_.wait();
    is_cut_off = !woken;
    if (is_cut_off) stopping_ = true;
  }
  journal_.hurry();
  for (auto& [key, worker] : workers_) worker->stop();
  if (is_cut_off) attempts_.cancel();
  readers_.cancel();
  timers_.cancel();
  co_await timers_.join();
  TaskGroup drain(co_await current_loop(), "delivery drain", 1);
  drain.spawn(end_drain());
  co_await attempts_.join();
  drain.cancel();
  co_await drain.join();
  co_await readers_.join();
  co_await workers_tasks_.join();
  journal_.close();
  co_await journal_task_.join();
  workers_.clear();
  is_running_ = false;
}

Task<void> LoopWorker::end_drain() {
  auto slept = co_await context_.parts.clock.sleep_for(context_.parts.limits.drain);
  if (slept) attempts_.cancel();
}

void LoopWorker::stop() {
  stopping_ = true;
  changed_.wake();
  cut_nap_short();
}

void LoopWorker::set_subscriptions(std::vector<SubscriptionRef> subscriptions) {
  desired_.clear();
  for (auto& subscription : subscriptions) {
    Key key{subscription->tenant, subscription->name};
    desired_.emplace(std::move(key), std::move(subscription));
  }
  if (is_running_ && !stopping_) reconcile();
}

void LoopWorker::reconcile() {
  for (auto at = workers_.begin(); at != workers_.end();) {
    if (desired_.contains(at->first)) {
      ++at;
      continue;
    }
    at->second->retire();
    at = workers_.erase(at);
  }
  auto wake_at = [this](WallTime when) {
    if (when < napping_until_) cut_nap_short();
  };
  LoopParts parts{context_, journal_, readers_, attempts_, wake_at};
  for (const auto& [key, subscription] : desired_) {
    if (auto known = workers_.find(key); known != workers_.end()) {
      if (&known->second->subscription() != subscription.get()) known->second->update(subscription);
      continue;
    }
    auto worker = std::make_shared<SubscriptionWorker>(parts, subscription);
    if (workers_tasks_.spawn(worker->run(worker))) workers_.emplace(key, std::move(worker));
  }
  cut_nap_short();
}

Duration LoopWorker::nap() {
  auto now = context_.parts.clock.now();
  auto until = workers_.empty() ? now + std::chrono::hours(1) : look_around_at_;
  for (const auto& [key, worker] : workers_) {
    if (auto due = worker->next_due()) until = std::min(until, *due);
  }
  napping_until_ = until;
  return std::max<Duration>(until - now, kNapMin);
}

void LoopWorker::cut_nap_short() {
  nap_is_cut_ = true;
  nap_.wake();
}

Task<Result<>> LoopWorker::until_cut_short() {
  while (!nap_is_cut_) CO_CHECK(co_await nap_.wait());
  co_return Result<>();
}

Task<void> LoopWorker::keep_time(std::shared_ptr<LoopWorker> self) {
  auto& clock = context_.parts.clock;
  while (!self->stopping_) {
    nap_is_cut_ = false;
    auto woken = co_await with_timeout(clock, nap(), until_cut_short());
    if (!woken && woken.error().code == ErrorCode::Cancelled) co_return;
    look_around_if_due();
    auto now = clock.now();
    for (const auto& [key, worker] : workers_) {
      auto due = worker->next_due();
      if (due && *due <= now) worker->wake();
    }
  }
}

void LoopWorker::look_around_if_due() {
  auto now = context_.parts.clock.now();
  // Also when the calendar was set back.
  if (now < look_around_at_ && look_around_at_ - now <= kLookAroundEvery) return;
  look_around_at_ = now + kLookAroundEvery;
  for (const auto& [key, worker] : workers_) worker->look_around();
  journal_.tick();
}

std::shared_ptr<SubscriptionWorker> LoopWorker::find(const std::string& tenant,
                                                     const std::string& name) const {
  auto found = workers_.find(Key{tenant, name});
  return found == workers_.end() ? nullptr : found->second;
}

std::vector<SubscriptionStatus> LoopWorker::statuses(const std::string& tenant) const {
  std::vector<SubscriptionStatus> out;
  for (const auto& [key, worker] : workers_) {
    if (tenant.empty() || key.first == tenant) out.push_back(worker->status());
  }
  return out;
}

std::vector<eventlog::NewRecord> LoopWorker::everything() const {
  std::vector<eventlog::NewRecord> out;
  for (const auto& [key, worker] : workers_) {
    auto records = worker->everything();
    out.insert(out.end(), std::make_move_iterator(records.begin()),
               std::make_move_iterator(records.end()));
  }
  if (!carries_rest_) return out;
  for (auto& [key, value] : context_.saved.all()) {
    auto& record = out.emplace_back();
    record.key = std::move(key);
    record.value = std::move(value);
  }
  return out;
}

}  // namespace weft::delivery
