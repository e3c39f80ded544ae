// The base of a simulation test: one seed, one event loop, virtual time, seeded chance and a disk
// that loses what was not synced. Everything that runs in it is spawned here or run to its end.
//
//   World world(seed);
//   auto log = world.run(EventLog::open(world.disk, "/data"));
//   world.spawn(produce(*log));
//   world.run_for(2s);
//   world.crash();           // nothing of the old life runs any more; what was synced is still
//   there
//
// The end of the world cancels its tasks and lets them end: what they use is declared before it.
//
// Used on one thread. See seeded_test.h for running many seeds.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "runtime/run_until_done.h"
#include "runtime/simulated_clock.h"
#include "runtime/simulated_disk.h"
#include "runtime/simulated_network.h"
#include "runtime/task_group.h"

namespace weft {

class World {
 public:
  explicit World(std::uint64_t seed);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

 private:
  const std::uint64_t seed_;
  IoContext loop_;
  SeededRandom network_random_;

 public:
  SimulatedClock clock;
  SeededRandom random;
  SimulatedFileSystem disk;
  SimulatedNetwork network;

  std::uint64_t seed() const { return seed_; }
  IoContext& loop() { return loop_; }
  Executor executor() { return loop_.get_executor(); }

  // Runs beside the test until the task ends, or the crash or the end of the world cancels it.
  void spawn(Task<void> task);

  // Runs the task, and all others, until it ends. Requires: it ends within `at_most`.
  template <class T>
  T run(Task<T> task, Duration at_most = std::chrono::hours(24));

  void run_for(Duration duration) { clock.run_for(duration); }
  bool run_until_idle(Duration at_most = std::chrono::hours(1));
  bool run_until(const std::function<bool()>& done, Duration at_most = std::chrono::hours(1)) {
    return clock.run_until(done, at_most);
  }

  // The machine dies: the disk fails every operation, all tasks are cancelled and end, then the
  // disk keeps what the seed decides. Objects of the old life should be destroyed after this; their
  // files are dead.
  void crash(CrashKeeps keeps = CrashKeeps::Random);

 private:
  void end_all_tasks();

  std::unique_ptr<TaskGroup> tasks_;
};

template <class T>
T World::run(Task<T> task, Duration at_most) {
  std::optional<T> outcome;
  boost::asio::co_spawn(loop_.get_executor(), detail::keep_outcome<T>(outcome, std::move(task)),
                        detail::rethrow);
  const bool ended = clock.run_until([&] { return outcome.has_value(); }, at_most);
  ENSURE(ended, "a task of the simulation ends in time");
  // The frame ends one turn after its value is there.
  clock.run_ready();
  return std::move(*outcome);
}

}  // namespace weft
