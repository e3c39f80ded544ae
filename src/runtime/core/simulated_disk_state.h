// What the simulated file system and its open files share.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "runtime/core/simulated_names.h"
#include "runtime/random.h"
#include "runtime/simulated_disk.h"

namespace weft {

struct SimulatedFileSystem::State {
  State(Clock& time, std::uint64_t seed) : clock(time), random(seed) {}

  Clock& clock;
  SeededRandom random;
  SimulatedNames names;
  std::set<std::string> locks;
  DiskFaults faults;
  DiskCounters counters;
  // Counts crashes: a file of an earlier life is dead.
  std::uint64_t life = 0;
  std::uint64_t steps_left = std::numeric_limits<std::uint64_t>::max();
  bool down = false;

  bool chance(double probability);
  // Counts one step; false when the power fails in the middle of it.
  bool take_step();
  Result<> require_power(std::uint64_t of_life) const;
  // The time that an operation takes. Unavailable when the power fails meanwhile.
  Task<Result<>> delay();
  // Bytes that may still be written before the disk is full.
  std::uint64_t room() const;
};

}  // namespace weft
