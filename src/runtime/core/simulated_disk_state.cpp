#include "runtime/core/simulated_disk_state.h"

namespace weft {

bool SimulatedFileSystem::State::chance(double probability) {
  // No draw for what cannot happen: plans that leave a fault out stay comparable.
  if (probability <= 0) return false;
  constexpr std::uint64_t kSteps = 1'000'000'000;
  return static_cast<double>(random.below(kSteps)) < probability * static_cast<double>(kSteps);
}

bool SimulatedFileSystem::State::take_step() {
  if (steps_left == 0)
    down = true;
  else if (steps_left != std::numeric_limits<std::uint64_t>::max())
    --steps_left;
  return !down;
}

Result<> SimulatedFileSystem::State::require_power(std::uint64_t of_life) const {
  if (of_life != life) return fail(ErrorCode::Unavailable, "the simulated disk crashed meanwhile");
  if (down) return fail(ErrorCode::Unavailable, "the simulated disk has lost its power");
  return {};
}

Task<Result<>> SimulatedFileSystem::State::delay() {
  const auto started_in = life;
  if (faults.delay_max > Duration::zero()) {
    const auto range = static_cast<std::uint64_t>((faults.delay_max - faults.delay_min).count());
    const auto extra = Duration(static_cast<Duration::rep>(random.below(range + 1)));
    // A cancelled task's disk operation still ends: the kernel does not take back a write.
    [[maybe_unused]] auto slept = co_await clock.sleep_for(faults.delay_min + extra);
  }
  co_return require_power(started_in);
}

std::uint64_t SimulatedFileSystem::State::room() const {
  std::uint64_t used = 0;
  for (const auto& file : names.files()) used += file->seen().size();
  return faults.bytes_max > used ? faults.bytes_max - used : 0;
}

}  // namespace weft
