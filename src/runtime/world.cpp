#include "runtime/world.h"

namespace weft {

namespace {

constexpr std::size_t kTasksMax = 100'000;
constexpr Duration kDrainMax = std::chrono::hours(1);
constexpr std::uint64_t kDiskSequence = 0x6469736b00000000ULL;

std::unique_ptr<TaskGroup> new_group(IoContext& loop) {
  return std::make_unique<TaskGroup>(loop.get_executor(), "simulation", kTasksMax);
}

}  // namespace

Machine::Machine(std::string address, IoContext& loop, SimulatedClock& clock,
                 SimulatedNetwork& network, std::uint64_t seed)
    : disk(clock, seed),
      address_(std::move(address)),
      loop_(loop),
      clock_(clock),
      network_(network),
      tasks_(new_group(loop)) {}

void Machine::spawn(Task<void> task) {
  ENSURE(tasks_->spawn(std::move(task)), "the simulation has room for the task");
}

void Machine::die() {
  disk.lose_power();
  network_.reset_connections(address_);
  tasks_->cancel();
  const bool ended = clock_.run_until([this] { return tasks_->size() == 0; }, kDrainMax);
  ENSURE(ended, "cancelled tasks of the simulation end");
  clock_.run_ready();
}

void Machine::crash(CrashKeeps keeps) {
  die();
  tasks_ = new_group(loop_);
  disk.crash(keeps);
}

World::World(std::uint64_t seed)
    : seed_(seed),
      // Sequences of their own: a test that draws more must not change what disk and network do.
      network_random_(seed ^ 0x6e65747700000000ULL),
      clock(loop_),
      random(seed),
      network(clock, network_random_, SimulatedNetworkOptions()),
      home_("127.0.0.1", loop_, clock, network, seed ^ kDiskSequence),
      disk(home_.disk) {}

World::~World() {
  for (auto& machine : others_) machine->die();
  home_.die();
}

Machine& World::add_machine(std::string address) {
  auto seed = (seed_ ^ kDiskSequence) + (others_.size() + 1) * 0x100000000ULL;
  others_.push_back(std::make_unique<Machine>(std::move(address), loop_, clock, network, seed));
  return *others_.back();
}

bool World::run_until_idle(Duration at_most) {
  return clock.run_until_idle(at_most);
}

}  // namespace weft
