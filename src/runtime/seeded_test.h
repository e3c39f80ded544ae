// For tests only: runs a simulation with many seeds and names the seed that fails, also when the
// program aborts. Environment: WEFT_SEED=n runs that seed alone; WEFT_SEEDS=n runs n seeds instead
// of `count`.
//
//   TEST(Log, KeepsWhatItAcknowledged) {
//     for_each_seed(200, [](std::uint64_t seed) { World world(seed); ... });
//   }
#pragma once

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

namespace weft {

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

}  // namespace detail

// Seeds are 1, 2, …; stops at the first that fails.
inline void for_each_seed(std::uint64_t count, const std::function<void(std::uint64_t)>& body) {
  std::uint64_t first = 1;
  std::uint64_t last = detail::number_from_environment("WEFT_SEEDS").value_or(count);
  if (auto only = detail::number_from_environment("WEFT_SEED")) first = last = *only;
  auto previous = std::signal(SIGABRT, detail::report_seed_of_abort);
  for (auto seed = first; seed <= last && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("repeat with WEFT_SEED=" + std::to_string(seed));
    detail::running_seed = seed;
    body(seed);
  }
  std::signal(SIGABRT, previous);
}

}  // namespace weft
