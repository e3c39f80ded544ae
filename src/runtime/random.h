// Chance as a parameter: the system's secure generator, or a seeded one in simulation.
#pragma once

#include <cstdint>
#include <string>

#include "base/uuid.h"

namespace weft {

// Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(char* bytes, std::size_t size) = 0;

  std::uint64_t next();
  // Uniform in [0, bound). Requires bound > 0.
  std::uint64_t below(std::uint64_t bound);
  Uuid uuid_v7(WallTime now);
  std::string bytes(std::size_t size);
};

// getrandom(2), buffered per thread: fit for keys and tokens.
class SystemRandom final : public Random {
 public:
  void fill(char* bytes, std::size_t size) override;
};

// The same sequence for the same seed. Simulation and tests only.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(char* bytes, std::size_t size) override;

 private:
  std::uint64_t state_;
};

}  // namespace weft
