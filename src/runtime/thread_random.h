// Fast chance that is no secret: ids of traces and spans, jitter, sampling. Each thread has a
// generator of its own (xoshiro256++ by Blackman and Vigna), seeded from the system once.
#pragma once

#include "runtime/random.h"

namespace weft {

// Thread-safe. Never for keys, tokens or anything that an attacker must not guess.
class ThreadRandom final : public Random {
 public:
  void fill(char* bytes, std::size_t size) override;
};

}  // namespace weft
