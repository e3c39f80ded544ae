// A seeded life of the log, for tests: producers, readers, crashes, torn and lost writes, failed
// syncs, a full disk, delays; and a model that says what must hold. One call runs one seed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "eventlog/embedded/log_options.h"

namespace weft::eventlog {

struct SimulationTotals {
  std::uint64_t acknowledged = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t crashes = 0;
  std::uint64_t stops = 0;      // lives that ended by a failed write or sync
  std::uint64_t disk_full = 0;  // appends refused for lack of space
  std::uint64_t torn_tails = 0;
};

// What was violated, in words; absent when everything held.
std::optional<std::string> simulate_log(std::uint64_t seed, LogMutant mutant,
                                        SimulationTotals& totals);

}  // namespace weft::eventlog
