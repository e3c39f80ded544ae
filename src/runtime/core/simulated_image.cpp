#include "runtime/core/simulated_image.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

namespace weft {

namespace {

constexpr std::uint64_t kSectorBytes = 512;

// Decides for each sector how many of the changes it has seen when it is written.
class SectorTimes {
 public:
  SectorTimes(std::size_t changes, CrashKeeps keeps, Random& random)
      : changes_(changes), keeps_(keeps), random_(random) {
    // Each crash has a temper of its own, so that "nearly all kept" and "nearly all lost" both
    // occur.
    if (keeps != CrashKeeps::Random) return;
    lost_of_four_ = random.below(5);
    // Now and then the medium simply stops after the first so many changes.
    if (random.below(4) == 0) prefix_ = random.below(changes + 1);
  }

  std::size_t metadata() { return draw(); }

  std::size_t of(std::uint64_t sector) {
    auto [at, is_new] = times_.try_emplace(sector, 0);
    if (is_new) at->second = draw();
    return at->second;
  }

 private:
  std::size_t draw() {
    if (keeps_ == CrashKeeps::Nothing) return 0;
    if (keeps_ == CrashKeeps::Everything) return changes_;
    if (prefix_) return *prefix_;
    const auto die = random_.below(4);
    if (die < lost_of_four_) return random_.below(2) == 0 ? 0 : random_.below(changes_ + 1);
    return changes_;
  }

  std::size_t changes_;
  CrashKeeps keeps_;
  Random& random_;
  std::uint64_t lost_of_four_ = 0;
  std::optional<std::size_t> prefix_;
  std::map<std::uint64_t, std::size_t> times_;
};

}  // namespace

void SimulatedImage::write(std::uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  seen_.write(offset, bytes);
  unsynced_.push_back({offset, std::string(bytes), false});
}

void SimulatedImage::resize(std::uint64_t size) {
  seen_.resize(size);
  unsynced_.push_back({size, {}, true});
}

std::uint64_t SimulatedImage::size_after(std::uint64_t size, const Change& change) {
  return change.is_resize ? change.offset : std::max(size, change.offset + change.bytes.size());
}

void SimulatedImage::commit(std::size_t count) {
  const auto end =
      unsynced_.begin() + static_cast<std::ptrdiff_t>(std::min(count, unsynced_.size()));
  for (auto change = unsynced_.begin(); change != end; ++change) {
    if (change->is_resize)
      durable_.resize(change->offset);
    else
      durable_.write(change->offset, change->bytes);
  }
  unsynced_.erase(unsynced_.begin(), end);
}

void SimulatedImage::apply_some(std::size_t count, CrashKeeps keeps, Random& random) {
  count = std::min(count, unsynced_.size());
  SectorTimes times(count, keeps, random);
  const auto metadata_changes = times.metadata();
  auto size = durable_.size();
  // What is written behind a cut that did not reach the medium lies in blocks that belong to no
  // file.
  auto detached_from = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t i = 0; i < count; ++i) {
    const auto& change = unsynced_[i];
    const bool is_recorded = i < metadata_changes;
    if (is_recorded) size = size_after(size, change);
    if (change.is_resize && is_recorded) durable_.resize(change.offset);
    if (change.is_resize && !is_recorded) detached_from = std::min(detached_from, change.offset);
    std::string_view rest = change.bytes;
    for (auto offset = change.offset; !rest.empty() && offset < detached_from;) {
      const auto part = rest.substr(0, kSectorBytes - offset % kSectorBytes);
      if (i < times.of(offset / kSectorBytes)) durable_.write(offset, part);
      offset += part.size();
      rest.remove_prefix(part.size());
    }
  }
  durable_.resize(size);
  unsynced_.erase(unsynced_.begin(), unsynced_.begin() + static_cast<std::ptrdiff_t>(count));
}

void SimulatedImage::commit_damaged(std::size_t count, Random& random) {
  apply_some(count, CrashKeeps::Random, random);
}

void SimulatedImage::crash(CrashKeeps keeps, Random& random) {
  apply_some(unsynced_.size(), keeps, random);
  seen_ = durable_;
}

void SimulatedImage::flip_bit(std::uint64_t offset, unsigned bit) {
  durable_.flip_bit(offset, bit);
  seen_.flip_bit(offset, bit);
}

}  // namespace weft
