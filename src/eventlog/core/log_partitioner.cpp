#include <cstring>

#include "eventlog/event_log.h"

namespace weft::eventlog {

namespace {

// MurmurHash2, 32 bits, with the seed and the signedness of Kafka's Java client
// (org.apache.kafka.common.utils.Utils.murmur2).
std::uint32_t murmur2(std::string_view key) {
  constexpr std::uint32_t kMultiplier = 0x5bd1e995;
  constexpr int kShift = 24;
  auto hash = 0x9747b28cu ^ static_cast<std::uint32_t>(key.size());
  while (key.size() >= 4) {
    auto byte = [&](std::size_t i) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(key[i]));
    };
    std::uint32_t word = byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
    word *= kMultiplier;
    word ^= word >> kShift;
    word *= kMultiplier;
    hash = hash * kMultiplier ^ word;
    key.remove_prefix(4);
  }
  if (!key.empty()) {
    for (std::size_t i = key.size(); i-- > 0;) {
      hash ^= static_cast<std::uint32_t>(static_cast<unsigned char>(key[i])) << (8 * i);
    }
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  return hash ^ hash >> 15;
}

}  // namespace

std::int32_t partition_of_key(std::string_view key, std::int32_t partitions) {
  return static_cast<std::int32_t>((murmur2(key) & 0x7fffffff) %
                                   static_cast<std::uint32_t>(partitions));
}

}  // namespace weft::eventlog
