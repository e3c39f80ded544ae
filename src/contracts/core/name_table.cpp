#include "contracts/core/name_table.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace weft::contracts {

NameTable::NameTable(std::vector<std::string> names) : names_(std::move(names)) {
  constexpr int kSeedsPerSize = 50;
  constexpr std::size_t kPerfectMax = 64;
  const unsigned least = std::max(1u, static_cast<unsigned>(std::bit_width(names_.size() * 2)));
  std::uint64_t seed = 0x2545f4914f6cdd1du;
  const auto next_seed = [&seed] {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed | 1;
  };
  if (names_.size() <= kPerfectMax) {
    for (unsigned bits = least; bits < least + 4; ++bits)
      for (int i = 0; i < kSeedsPerSize; ++i)
        if (place_all(bits, next_seed(), 1)) return;
  }
  for (const std::uint32_t probes : {4u, 8u, 16u})
    if (place_all(least, next_seed(), probes)) return;
  slots_.clear();
  sorted_.resize(names_.size());
  std::iota(sorted_.begin(), sorted_.end(), 0u);
  std::sort(sorted_.begin(), sorted_.end(),
            [this](std::uint32_t a, std::uint32_t b) { return names_[a] < names_[b]; });
}

bool NameTable::place_all(unsigned bits, std::uint64_t seed, std::uint32_t probes) {
  slots_.assign((std::size_t{1} << bits) + probes, Slot());
  shift_ = 64 - bits;
  seed_ = seed;
  probes_ = probes;
  for (std::uint32_t i = 0; i < names_.size(); ++i) {
    const Print print = print_of(names_[i]);
    const auto first = slots_.begin() + static_cast<std::ptrdiff_t>(place_of(print));
    const auto free = std::find_if(first, first + probes,
                                   [](const Slot& slot) { return slot.number == kAbsent; });
    if (free == first + probes) return false;
    *free = {print, i};
  }
  return true;
}

std::uint32_t NameTable::find_sorted(std::string_view name) const {
  const auto found = std::lower_bound(
      sorted_.begin(), sorted_.end(), name,
      [this](std::uint32_t number, std::string_view wanted) { return names_[number] < wanted; });
  return found != sorted_.end() && names_[*found] == name ? *found : kAbsent;
}

}  // namespace weft::contracts
