#include "runtime/random.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/result.h"

namespace weft {

namespace {

// One system call serves 32 span ids or 16 UUIDs.
constexpr std::size_t kBufferBytes = 256;

void fill_from_system(char* bytes, std::size_t size) {
  while (size > 0) {
    auto got = ::getrandom(bytes, size, 0);
    if (got < 0 && errno == EINTR) continue;
    ENSURE(got > 0, "the system gives random bytes");
    bytes += got;
    size -= static_cast<std::size_t>(got);
  }
}

struct RandomBuffer {
  char bytes[kBufferBytes];
  std::size_t used = kBufferBytes;
};

std::uint64_t next_word(std::uint64_t& state) {  // splitmix64 (Steele, Lea, Flood 2014)
  state += 0x9e3779b97f4a7c15ULL;
  auto z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

std::uint64_t Random::next() {
  std::uint64_t word;
  fill(reinterpret_cast<char*>(&word), sizeof word);
  return word;
}

std::uint64_t Random::below(std::uint64_t bound) {
  ENSURE(bound > 0, "the bound of a random number is positive");
  // Lemire 2019: multiply and shift, refusing the few words that would favour small results.
  __extension__ using Wide = unsigned __int128;
  auto product = static_cast<Wide>(next()) * bound;
  if (static_cast<std::uint64_t>(product) < bound) {
    const auto refused = (0 - bound) % bound;
    while (static_cast<std::uint64_t>(product) < refused) {
      product = static_cast<Wide>(next()) * bound;
    }
  }
  return static_cast<std::uint64_t>(product >> 64);
}

Uuid Random::uuid_v7(WallTime now) {
  std::uint64_t words[2];
  fill(reinterpret_cast<char*>(words), sizeof words);
  return Uuid::v7(now, words[0], words[1]);
}

std::string Random::bytes(std::size_t size) {
  std::string out(size, '\0');
  fill(out.data(), size);
  return out;
}

void SystemRandom::fill(char* bytes, std::size_t size) {
  if (size > kBufferBytes / 2) return fill_from_system(bytes, size);
  thread_local RandomBuffer buffer;
  if (kBufferBytes - buffer.used < size) {
    fill_from_system(buffer.bytes, kBufferBytes);
    buffer.used = 0;
  }
  char* from = buffer.bytes + buffer.used;
  std::memcpy(bytes, from, size);
  // What was handed out may be a key: it must not stay behind.
  std::memset(from, 0, size);
  buffer.used += size;
}

void SeededRandom::fill(char* bytes, std::size_t size) {
  while (size > 0) {
    auto word = next_word(state_);
    auto part = std::min(size, sizeof word);
    std::memcpy(bytes, &word, part);
    bytes += part;
    size -= part;
  }
}

}  // namespace weft
