// The process's event loops: one io_context and one thread per core. A connection lives and dies on
// its loop. Loops are numbered from 0; other threads reach one by post().
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/result.h"
#include "runtime/task.h"

namespace weft {

class Loops {
 public:
  explicit Loops(std::size_t count);
  ~Loops();

  std::size_t size() const;
  Executor at(std::size_t index) const;
  // Runs the job on that loop, later; any thread.
  void post(std::size_t index, std::function<void()> job) const;
  // The loop with the fewest connections; count() is kept by whoever opens and closes them.
  std::size_t least_loaded() const;
  void count_connection(std::size_t index, int change);
  // The index of the calling thread's loop; size() when it is not a loop thread.
  std::size_t current() const;

  // Starts the threads; returns when stop() was called and all loops have ended.
  void run();
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A named pool for calls that block (SQLite, name resolution). run() resumes the caller on its own
// loop. Requests beyond `queue_max` fail with ResourceExhausted.
class BlockingPool {
 public:
  BlockingPool(std::string_view name, std::size_t threads, std::size_t queue_max);
  ~BlockingPool();  // finishes what was accepted

  template <class T>
  Task<Result<T>> run(std::function<Result<T>()> work);

  // Runs a job that reports by itself; any thread. The job does not throw.
  Result<> submit(std::function<void()> job);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft

#include "runtime/core/blocking_pool_run.h"
