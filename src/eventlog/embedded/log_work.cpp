#include "eventlog/embedded/log_work.h"

#include "runtime/on_loop.h"

namespace weft::eventlog {

Wakeups::Batch& Wakeups::batch(Executor loop) {
  for (auto& each : batches_) {
    if (each.loop == loop) return each;
  }
  batches_.push_back({loop, {}, {}});
  return batches_.back();
}

void Wakeups::add(FetchWaiters& waiters) {
  for (auto& waiter : waiters) {
    auto& waiting = batch(waiter->loop).waiters;
    waiting.push_back(std::move(waiter));
  }
  waiters.clear();
}

void Wakeups::send() {
  for (auto& each : batches_) {
    post_to(each.loop, [works = std::move(each.works), waiters = std::move(each.waiters)] {
      for (auto* work : works) work->done.resume();
      for (const auto& waiter : waiters) waiter->wake.wake();
    });
  }
  batches_.clear();
}

}  // namespace weft::eventlog
