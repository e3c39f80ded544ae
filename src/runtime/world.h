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
// A world has one machine to begin with, whose parts stand in the world itself; more of them share
// its time, chance and network, and have disks, tasks and crashes of their own:
//
//   auto& hub = world.add_machine("10.0.0.2");
//   hub.spawn(serve(hub));
//   hub.crash();             // the others go on
//
// The end of the world cancels its tasks and lets them end: what they use is declared before it.
//
// Used on one thread. See seeded_test.h for running many seeds.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/run_until_done.h"
#include "runtime/simulated_clock.h"
#include "runtime/simulated_disk.h"
#include "runtime/simulated_network.h"
#include "runtime/task_group.h"

namespace weft {

// What fails as one: a disk, the tasks that run, and the connections to its address.
class Machine {
 public:
  // `address`: of its listeners, as IPv4 or IPv6 text.
  Machine(std::string address, IoContext& loop, SimulatedClock& clock, SimulatedNetwork& network,
          std::uint64_t seed);

  const std::string& address() const { return address_; }
  // Runs beside the test until the task ends, or a crash or the end of the world cancels it.
  void spawn(Task<void> task);
  // The machine dies: the disk fails every operation, connections are lost, all tasks are cancelled
  // and end, then the disk keeps what the seed decides. Objects of the old life should be destroyed
  // after this; their files are dead.
  void crash(CrashKeeps keeps = CrashKeeps::Random);
  // As far as a crash takes it: nothing runs any more, and nothing can be stored.
  void die();

  SimulatedFileSystem disk;

 private:
  std::string address_;
  IoContext& loop_;
  SimulatedClock& clock_;
  SimulatedNetwork& network_;
  std::unique_ptr<TaskGroup> tasks_;
};

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
  SimulatedNetwork network;

 private:
  Machine home_;
  std::vector<std::unique_ptr<Machine>> others_;

 public:
  SimulatedFileSystem& disk;  // of the first machine

  std::uint64_t seed() const { return seed_; }
  IoContext& loop() { return loop_; }
  Executor executor() { return loop_.get_executor(); }

  // Lives as long as the world. Requires: no other machine has this address.
  Machine& add_machine(std::string address);

  // On the first machine.
  void spawn(Task<void> task) { home_.spawn(std::move(task)); }

  // Runs the task, and all others, until it ends. Requires: it ends within `at_most`.
  template <class T>
  T run(Task<T> task, Duration at_most = std::chrono::hours(24));

  void run_for(Duration duration) { clock.run_for(duration); }
  bool run_until_idle(Duration at_most = std::chrono::hours(1));
  bool run_until(const std::function<bool()>& done, Duration at_most = std::chrono::hours(1)) {
    return clock.run_until(done, at_most);
  }

  // Of the first machine.
  void crash(CrashKeeps keeps = CrashKeeps::Random) { home_.crash(keeps); }
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
