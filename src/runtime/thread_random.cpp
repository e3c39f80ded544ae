#include "runtime/thread_random.h"

#include <array>
#include <bit>
#include <cstring>

namespace weft {

namespace {

class Xoshiro {
 public:
  Xoshiro() { SystemRandom().fill(reinterpret_cast<char*>(state_.data()), sizeof state_); }

  std::uint64_t next() {
    auto result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    auto shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace

void ThreadRandom::fill(char* bytes, std::size_t size) {
  thread_local Xoshiro generator;
  while (size > 0) {
    auto word = generator.next();
    auto step = std::min(size, sizeof word);
    std::memcpy(bytes, &word, step);
    bytes += step;
    size -= step;
  }
}

}  // namespace weft
