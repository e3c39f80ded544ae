// Runs one task to its end on an event loop of its own, on the calling thread: for tests,
// command-line verbs and start-up steps, never inside a loop.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "base/result.h"
#include "runtime/task.h"

namespace weft {

namespace detail {

template <class T>
Task<void> keep_outcome(std::optional<T>& outcome, Task<T> task) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  outcome.emplace(co_await std::move(task));
}

inline Task<void> run_plain(Task<void> task) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  co_await std::move(task);
}

inline void rethrow(std::exception_ptr error) {
  if (error) std::rethrow_exception(error);
}

// A loop that is the caller's alone, of those that the process keeps: making one costs ten system
// calls, and one that ends with its task would be gone while the thread that resumed the task may
// still be inside of its post().
class SpareLoop {
 public:
  SpareLoop();
  ~SpareLoop();
  SpareLoop(const SpareLoop&) = delete;
  SpareLoop& operator=(const SpareLoop&) = delete;
  IoContext& loop() { return *loop_; }

 private:
  std::unique_ptr<IoContext> loop_;
};

}  // namespace detail

template <class T>
T run_until_done(IoContext& loop, Task<T> task) {
  // A thread that was late with what the loop did before may take its last work away between the
  // restart and the start of the task, which would stop the loop again.
  auto guard = boost::asio::make_work_guard(loop);
  loop.restart();
  if constexpr (std::is_void_v<T>) {
    bool done = false;
    boost::asio::co_spawn(loop.get_executor(), detail::run_plain(std::move(task)),
                          [&done](std::exception_ptr error) {
                            done = true;
                            detail::rethrow(error);
                          });
    guard.reset();
    while (!done && loop.run_one() > 0) {
    }
    ENSURE(done, "the task does not wait for ever");
    loop.poll();
  } else {
    std::optional<T> outcome;
    boost::asio::co_spawn(loop.get_executor(), detail::keep_outcome<T>(outcome, std::move(task)),
                          detail::rethrow);
    guard.reset();
    while (!outcome && loop.run_one() > 0) {
    }
    ENSURE(outcome.has_value(), "the task does not wait for ever");
    // The spawned frame ends one turn after its value is there.
    loop.poll();
    return std::move(*outcome);
  }
}

template <class T>
T run_until_done(Task<T> task) {
  detail::SpareLoop spare;
  return run_until_done(spare.loop(), std::move(task));
}

}  // namespace weft
