#include "contracts/core/name_table.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace weft::contracts {

NameTable::NameTable(std::vector<std::string> names) : names_(std::move(names)) {
  constexpr int kSeedsPerSize = 200;
  const unsigned least = std::max(1u, static_cast<unsigned>(std::bit_width(names_.size() * 2)));
  std::uint64_t seed = 0x2545f4914f6cdd1du;
  for (unsigned bits = least; bits < least + 4 && bits < 24; ++bits) {
    for (int i = 0; i < kSeedsPerSize; ++i) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      if (place_all(bits, seed | 1)) return;
    }
  }
  slots_.clear();
  sorted_.resize(names_.size());
  std::iota(sorted_.begin(), sorted_.end(), 0u);
  std::sort(sorted_.begin(), sorted_.end(),
            [this](std::uint32_t a, std::uint32_t b) { return names_[a] < names_[b]; });
}

bool NameTable::place_all(unsigned bits, std::uint64_t seed) {
  slots_.assign(std::size_t{1} << bits, Slot());
  shift_ = 64 - bits;
  seed_ = seed;
  for (std::uint32_t i = 0; i < names_.size(); ++i) {
    const Print print = print_of(names_[i]);
    Slot& slot = slots_[place_of(print)];
    if (slot.number != kAbsent) return false;
    slot = {print, i};
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
