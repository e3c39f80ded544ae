// Crossing from one loop to another: a function call, or a task whose awaiter resumes on its own
// loop.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "runtime/task.h"

namespace weft {

// Calls `function` on `loop` in a later turn. From any thread.
template <class F>
void post_to(Executor loop, F&& function) {
  boost::asio::post(loop, std::forward<F>(function));
}

namespace detail {

template <class T>
Task<T> run_elsewhere(Task<T> task) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  co_return co_await std::move(task);
}

}  // namespace detail

// Runs the task on `loop`; the awaiter continues on its own loop. Deaf to cancellation.
template <class T>
Task<T> on_loop(Executor loop, Task<T> task) {
  boost::asio::use_awaitable_t<Executor> token;
  co_return co_await boost::asio::co_spawn(loop, detail::run_elsewhere<T>(std::move(task)), token);
}

// The loop that the calling task runs on.
inline Task<Executor> current_loop() {
  co_return co_await boost::asio::this_coro::executor;
}

// Goes on behind everything that waits for this loop already.
inline Task<void> next_turn() {
  const auto loop = co_await current_loop();
  co_await boost::asio::post(loop, boost::asio::use_awaitable_t<Executor>());
}

}  // namespace weft
