// The owner of spawned tasks: nothing runs detached. A group belongs to one loop; all calls are
// made on it. Requires: join() has returned before the group is destroyed (aborts otherwise).
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "runtime/task.h"

namespace weft {

class TaskGroup {
 public:
  // `what` names the group in logs. Spawning beyond `tasks_max` is refused.
  TaskGroup(Executor loop, std::string_view what, std::size_t tasks_max);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts the task on the group's loop. False when the group is full or cancelled; the task is
  // then destroyed unstarted. An exception that escapes the task is logged as our bug and ends that
  // task.
  bool spawn(Task<void> task);

  // Asks every task to stop: their pending waits fail with Cancelled. No new ones start.
  void cancel();

  // Returns when all tasks have ended.
  Task<void> join();

  std::size_t size() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace weft
