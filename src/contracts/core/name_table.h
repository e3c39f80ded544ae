// A fixed set of names with numbers, for finding the members of an instance: a hash without
// collisions, tried out when the table is built. Names of at most 16 bytes are compared as three
// integers. Immutable after build(); any thread.
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

  // Whether the name has that number (which may be one too far): how members that come in the order
  // of the table are recognised, so that what follows need not wait for the hash.
  [[gnu::always_inline]] bool is(std::uint32_t number, std::string_view name) const {
    if (number >= prints_.size()) return false;
    const Print& known = prints_[number];
    if (known.size != name.size()) return false;
    const Print print = print_of(name);
    return print.head == known.head && print.tail == known.tail &&
           (known.size <= 16 || names_[number] == name);
  }

  const std::vector<std::string>& names() const { return names_; }

 private:
  struct Print {
    std::uint64_t head = 0;
    std::uint64_t tail = 0;
    std::uint32_t size =
        ~std::uint32_t{0};  // no name is that long, so an empty slot matches nothing
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
  static std::uint64_t byte(const char* at) { return static_cast<unsigned char>(*at); }

  // Distinct for distinct names of at most 16 bytes.
  static Print print_of(std::string_view name) {
    const char* const at = name.data();
    const std::size_t size = name.size();
    Print print{0, 0, static_cast<std::uint32_t>(size)};
    if (size >= 8) {
      print.head = load<std::uint64_t>(at);
      print.tail = load<std::uint64_t>(at + size - 8);
    } else if (size >= 4) {
      print.head = load<std::uint32_t>(at) | std::uint64_t{load<std::uint32_t>(at + size - 4)}
                                                 << 32;
    } else if (size > 0) {
      print.head = byte(at) | byte(at + size / 2) << 8 | byte(at + size - 1) << 16;
    }
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
  std::vector<Print> prints_;  // by number
  std::vector<Slot> slots_;
  std::uint64_t seed_ = 1;
  unsigned shift_ = 63;
  std::uint32_t probes_ = 1;
  std::vector<std::uint32_t> sorted_;  // in use when no seed was found
};

}  // namespace weft::contracts
