// For tests only: runs a simulation with many seeds and names the seed that fails, also when the
// program aborts. docs/simulation.md lists the simulations, their mutants and what they found.
//
//   TEST(LogSimulation, KeepsEveryPromiseForAllSeeds) {
//     for_each_seed(200, [](std::uint64_t seed) { World world(seed); ... });
//   }
//   TEST(LogMutants, AcknowledgesBeforeItSyncs) {
//     expect_found("the log acknowledges before it syncs", [](std::uint64_t seed) { ... });
//   }
//
// Environment: WEFT_SEED=n runs that seed alone, with its log lines; WEFT_SEEDS=n runs n seeds
// instead of `count`, from WEFT_FIRST_SEED=n on.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/log.h"

namespace weft {

inline constexpr std::uint64_t kMutantSeedsMax = 1'000;
// So many seeds surely contain what a simulation is about.
inline constexpr std::uint64_t kSeedsThatTell = 50;

namespace detail {

inline std::atomic<std::uint64_t> running_seed{0};

// Async-signal-safe: says which seed was running, then lets the abort go on.
inline void report_seed_of_abort(int signal) {
  char text[64] = "simulation aborted with WEFT_SEED=";
  char* end = text + std::strlen(text);
  end = std::to_chars(end, text + sizeof text - 1, running_seed.load()).ptr;
  *end++ = '\n';
  [[maybe_unused]] auto written =
      ::write(STDERR_FILENO, text, static_cast<std::size_t>(end - text));
  std::signal(signal, SIG_DFL);
}

inline std::optional<std::uint64_t> number_from_environment(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return {};
  return std::strtoull(text, nullptr, 10);
}

// Thousands of deliberate faults would fill the output.
class SilentLog {
 public:
  SilentLog() : nowhere_(::open("/dev/null", O_WRONLY | O_CLOEXEC)) {
    set_log_descriptor(nowhere_);
  }
  ~SilentLog() {
    set_log_descriptor(STDERR_FILENO);
    ::close(nowhere_);
  }
  SilentLog(const SilentLog&) = delete;
  SilentLog& operator=(const SilentLog&) = delete;

 private:
  int nowhere_;
};

inline void run_seed(std::uint64_t seed, const std::function<void(std::uint64_t)>& body) {
  SCOPED_TRACE("repeat with WEFT_SEED=" + std::to_string(seed));
  running_seed = seed;
  auto previous = std::signal(SIGABRT, report_seed_of_abort);
  body(seed);
  std::signal(SIGABRT, previous);
}

}  // namespace detail

// Seeds are 1, 2, … or what the environment says; stops at the first that fails. How many were run.
inline std::uint64_t for_each_seed(std::uint64_t count,
                                   const std::function<void(std::uint64_t)>& body) {
  if (auto only = detail::number_from_environment("WEFT_SEED")) {
    detail::run_seed(*only, body);
    return 1;
  }
  detail::SilentLog silent;
  auto first = detail::number_from_environment("WEFT_FIRST_SEED").value_or(1);
  auto wanted = detail::number_from_environment("WEFT_SEEDS").value_or(count);
  auto seed = first;
  for (; seed < first + wanted && !testing::Test::HasFailure(); ++seed) {
    detail::run_seed(seed, body);
  }
  fmt::print("{} seeds were run, {} to {}\n", seed - first, first, seed - 1);
  return seed - first;
}

// A deliberate defect. `simulate` runs one seed and tells what it saw that must not be; one of the
// first 1,000 seeds has to.
inline void expect_found(std::string_view mutant,
                         const std::function<std::optional<std::string>(std::uint64_t)>& simulate) {
  detail::SilentLog silent;
  std::optional<std::string> seen;
  std::uint64_t seed = 0;
  while (!seen && seed < kMutantSeedsMax) {
    detail::run_seed(++seed, [&](std::uint64_t number) { seen = simulate(number); });
  }
  ASSERT_TRUE(seen.has_value()) << "mutant not found within " << kMutantSeedsMax
                                << " seeds: " << mutant;
  fmt::print("mutant found at seed {}: {} ({})\n", seed, mutant, *seen);
}

}  // namespace weft
