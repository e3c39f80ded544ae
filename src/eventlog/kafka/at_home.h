// Runs a task on the loop that owns what it works on, and resumes on the caller's.
#pragma once

#include "runtime/on_loop.h"

namespace weft::kafka {

template <class T>
Task<T> at_home(Executor home, Task<T> task) {
  const auto here = co_await current_loop();
  if (here == home) co_return co_await std::move(task);
  co_return co_await on_loop(home, std::move(task));
}

// For tasks that give nothing.
inline Task<bool> completed(Task<void> task) {
  co_await std::move(task);
  co_return true;
}

}  // namespace weft::kafka
