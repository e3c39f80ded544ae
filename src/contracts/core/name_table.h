// A fixed set of names with numbers, for finding the members of an instance: a hash without
// collisions, tried out when the table is built. Names of at most 16 bytes are compared as three
// integers, which differ for different names. Immutable after build(); any thread.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace weft::contracts {

class NameTable {
 public:
  static constexpr std::uint32_t kAbsent = ~std::uint32_t{0};

  NameTable() = default;
  // The i-th name has the number i. Requires distinct names.
  explicit NameTable(std::vector<std::string> names);

  [[gnu::always_inline]] std::uint32_t find(std::string_view name) const {
    if (slots_.empty()) return find_sorted(name);
    const Print print = print_of(name);
    std::size_t place = place_of(print);
    for (std::uint32_t probe = 0;; ++place) {
      const Slot& slot = slots_[place];
      if (slot.print.head == print.head && slot.print.tail == print.tail &&
          slot.print.size == print.size && (print.size <= 16 || names_[slot.number] == name))
        return slot.number;
      if (++probe == probes_) return kAbsent;
    }
  }

  // A name by its length and ends: how a member that comes where it is expected is recognised, so
  // that what follows need not wait for the hash. The branches are as predictable as the order.
  struct Ends {
    std::uint64_t head = 0;
    std::uint64_t tail = 0;
    std::uint32_t size = ~std::uint32_t{0};  // no name is that long: equal to nothing

    static Ends of(std::string_view name) {
      const char* const at = name.data();
      const std::size_t size = name.size();
      Ends ends{0, 0, static_cast<std::uint32_t>(size)};
      if (size >= 8) {
        ends.head = load<std::uint64_t>(at);
        ends.tail = load<std::uint64_t>(at + size - 8);
      } else if (size >= 4) {
        ends.head = load<std::uint32_t>(at);
        ends.tail = load<std::uint32_t>(at + size - 4);
      } else {
        ends.head = few(at, size);
      }
      return ends;
    }
    // Decides when the size is at most kWhole; else the middle is still to be compared.
    [[gnu::always_inline]] bool fit(std::string_view name) const {
      if (name.size() != size) return false;
      const char* const at = name.data();
      if (size >= 8)
        return load<std::uint64_t>(at) == head && load<std::uint64_t>(at + size - 8) == tail;
      if (size >= 4)
        return load<std::uint32_t>(at) == head && load<std::uint32_t>(at + size - 4) == tail;
      return few(at, size) == head;
    }
    static constexpr std::uint32_t kWhole = 16;
  };

  const std::vector<std::string>& names() const { return names_; }

 private:
  struct Print {
    std::uint64_t head = 0;
    std::uint64_t tail = 0;
    std::uint32_t size = ~std::uint32_t{0};  // so that an empty slot matches nothing
  };
  struct Slot {
    Print print;
    std::uint32_t number = kAbsent;
  };

  template <class Word>
  static Word load(const char* at) {
    Word word;
    std::memcpy(&word, at, sizeof word);
    return word;
  }
  // Up to three characters.
  static std::uint64_t few(const char* at, std::size_t size) {
    const auto byte = [at](std::size_t i) {
      return std::uint64_t{static_cast<unsigned char>(at[i])};
    };
    return size == 0 ? 0 : byte(0) | byte(size / 2) << 8 | byte(size - 1) << 16;
  }

  // Without a branch on the lengths that names mostly have: texts of an enumeration come in no
  // order.
  static Print print_of(std::string_view name) {
    const char* const at = name.data();
    const std::size_t size = name.size();
    Print print{0, 0, static_cast<std::uint32_t>(size)};
    if (size < 4) {
      print.head = few(at, size);
      return print;
    }
    const char* const last = at + size - 4;
    const std::size_t step = size >> 3 << 2;
    print.head = load<std::uint32_t>(at) | std::uint64_t{load<std::uint32_t>(at + step)} << 32;
    print.tail = load<std::uint32_t>(last) | std::uint64_t{load<std::uint32_t>(last - step)} << 32;
    return print;
  }
  std::size_t place_of(const Print& print) const {
    return static_cast<std::size_t>(
        ((print.head + print.size) ^ std::rotl(print.tail, 21)) * seed_ >> shift_);
  }
  // Whether each name lies at most `probes` slots from its place.
  bool place_all(unsigned bits, std::uint64_t seed, std::uint32_t probes);
  std::uint32_t find_sorted(std::string_view name) const;

  std::vector<std::string> names_;
  std::vector<Slot> slots_;
  std::uint64_t seed_ = 1;
  unsigned shift_ = 63;
  std::uint32_t probes_ = 1;
  std::vector<std::uint32_t> sorted_;  // in use when no seed was found
};

}  // namespace weft::contracts
