// Finds items of a table by a number of theirs: open addressing over the items' 4-byte slots, so an
// index costs 4 bytes for each place and knows nothing of the items but what `Table` says:
//
//   std::uint64_t number_of(Slot) const;   // what the index goes by; of no two indexed items the
//   same
//
// Linear probing; erasing moves what follows back, so there are no tombstones. At most 4/5 full.
// Pure. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace weft::eventlog {

using Slot = std::uint32_t;
inline constexpr Slot kNoSlot = std::numeric_limits<Slot>::max();

class SlotIndex {
 public:
  template <class Table>
  Slot find(std::uint64_t number, const Table& table) const {
    if (places_.empty()) return kNoSlot;
    for (auto place = home(number);; place = after(place)) {
      auto slot = places_[place];
      if (slot == kNoSlot || table.number_of(slot) == number) return slot;
    }
  }

  template <class Table>
  void insert(Slot slot, const Table& table) {
    if ((size_ + 1) * 5 > places_.size() * 4) grow(table);
    put(slot, table);
    ++size_;
  }

  // The item of this number is known by another slot from now on.
  template <class Table>
  void replace(std::uint64_t number, Slot slot, const Table& table) {
    auto place = home(number);
    while (table.number_of(places_[place]) != number) place = after(place);
    places_[place] = slot;
  }

  // Requires: it is there, and `table` still knows its number.
  template <class Table>
  void erase(Slot slot, const Table& table) {
    auto hole = home(table.number_of(slot));
    while (places_[hole] != slot) hole = after(hole);
    for (auto place = after(hole); places_[place] != kNoSlot; place = after(place)) {
      auto wanted = home(table.number_of(places_[place]));
      // Cyclic distances: may this one stand in the hole?
      if (((place - wanted) & mask()) < ((place - hole) & mask())) continue;
      places_[hole] = places_[place];
      hole = place;
    }
    places_[hole] = kNoSlot;
    --size_;
  }

  void clear() {
    places_ = std::vector<Slot>();
    size_ = 0;
  }

  std::size_t memory_bytes() const { return places_.capacity() * sizeof(Slot); }

 private:
  static constexpr std::size_t kPlacesMin = 16;

  std::size_t mask() const { return places_.size() - 1; }
  std::size_t after(std::size_t place) const { return (place + 1) & mask(); }
  std::size_t home(std::uint64_t number) const {
    constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;  // Fibonacci hashing
    auto mixed = (number ^ (number >> 32)) * kGolden;
    return static_cast<std::size_t>(mixed >> 32) & mask();
  }

  template <class Table>
  void put(Slot slot, const Table& table) {
    auto place = home(table.number_of(slot));
    while (places_[place] != kNoSlot) place = after(place);
    places_[place] = slot;
  }

  template <class Table>
  void grow(const Table& table) {
    auto before = std::move(places_);
    places_.assign(before.empty() ? kPlacesMin : before.size() * 2, kNoSlot);
    for (auto slot : before) {
      if (slot != kNoSlot) put(slot, table);
    }
  }

  std::vector<Slot> places_;  // their number is a power of two
  std::size_t size_ = 0;
};

}  // namespace weft::eventlog
