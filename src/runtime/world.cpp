#include "runtime/world.h"

namespace weft {

namespace {

constexpr std::size_t kTasksMax = 100'000;
constexpr Duration kDrainMax = std::chrono::hours(1);

std::unique_ptr<TaskGroup> new_group(IoContext& loop) {
  return std::make_unique<TaskGroup>(loop.get_executor(), "simulation", kTasksMax);
}

}  // namespace

World::World(std::uint64_t seed)
    : seed_(seed),
      // Sequences of their own: a test that draws more must not change what disk and network do.
      network_random_(seed ^ 0x6e65747700000000ULL),
      clock(loop_),
      random(seed),
      disk(clock, seed ^ 0x6469736b00000000ULL),
      network(clock, network_random_, SimulatedNetworkOptions()),
      tasks_(new_group(loop_)) {}

World::~World() {
  disk.lose_power();
  end_all_tasks();
}

void World::spawn(Task<void> task) {
  ENSURE(tasks_->spawn(std::move(task)), "the simulation has room for the task");
}

bool World::run_until_idle(Duration at_most) {
  return clock.run_until_idle(at_most);
}

void World::end_all_tasks() {
  tasks_->cancel();
  const bool ended = clock.run_until([this] { return tasks_->size() == 0; }, kDrainMax);
  ENSURE(ended, "cancelled tasks of the simulation end");
  clock.run_ready();
}

void World::crash(CrashKeeps keeps) {
  disk.lose_power();
  end_all_tasks();
  tasks_ = new_group(loop_);
  disk.crash(keeps);
}

}  // namespace weft
