// Gives a task a limit in time. Every network wait goes through this or through a stream's
// deadline.
//
// When the limit passes, the task is cancelled and awaited; the result is then DeadlineExceeded,
// unless the task still finished with something other than Cancelled. Cancelling the caller cancels
// the task.
#pragma once

#include <optional>
#include <utility>

#include "base/result.h"
#include "base/time.h"
#include "runtime/clock.h"
#include "runtime/suspension.h"
#include "runtime/task.h"
#include "runtime/task_group.h"

namespace weft {

namespace detail {

template <class T>
struct Race {
  Suspension ended;
  std::optional<Result<T>> outcome;
  bool expired = false;
};

template <class T>
Task<void> race_task(Race<T>& race, Task<Result<T>> task) {
  race.outcome.emplace(co_await std::move(task));
  race.ended.wake();
}

template <class T>
Task<void> race_clock(Race<T>& race, Clock& clock, Duration limit) {
  auto slept = co_await clock.sleep_for(limit);
  if (!slept) co_return;
  race.expired = true;
  race.ended.wake();
}

}  // namespace detail

template <class T>
Task<Result<T>> with_timeout(Clock& clock, Duration limit, Task<Result<T>> task) {
  auto loop = co_await boost::asio::this_coro::executor;
  detail::Race<T> race;
  TaskGroup group(loop, "with_timeout", 2);
  group.spawn(detail::race_task<T>(race, std::move(task)));
  group.spawn(detail::race_clock<T>(race, clock, limit));
  auto woken = co_await race.ended.wait();
  group.cancel();
  co_await group.join();
  if (race.outcome && (race.outcome->has_value() || !race.expired ||
                       race.outcome->error().code != ErrorCode::Cancelled)) {
    co_return std::move(*race.outcome);
  }
  if (race.expired)
    co_return fail(ErrorCode::DeadlineExceeded, "not done within {}", to_text(limit));
  if (!woken) co_return std::unexpected(std::move(woken).error());
  co_return fail(ErrorCode::Internal, "the task ended without a result");
}

}  // namespace weft
