// How much of an extent, from its first byte on, this process knows to be as it was appended: it
// wrote those bytes itself, or saw their checksums hold, and since then saw neither damage nor that
// they had left the memory, from where the medium would have to bring them again. What is known
// need not be read on its way from the file to a socket. A note beside the extent, not a part of
// its value: copies take what is known then, and all notes compare equal. Any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace weft::eventlog {

class IntactPrefix {
 public:
  IntactPrefix() = default;
  IntactPrefix(const IntactPrefix& other) noexcept : bytes_(other.bytes()) {}
  IntactPrefix& operator=(const IntactPrefix& other) noexcept {
    bytes_ = other.bytes();
    return *this;
  }

  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // The checksums of the bytes [from, to) hold.
  void saw(std::uint64_t from, std::uint64_t to) const {
    auto known = bytes();
    while (from <= known && to > known &&
           !bytes_.compare_exchange_weak(known, to, std::memory_order_relaxed)) {
    }
  }
  // Nothing is known of the bytes from `from` on any more.
  void forget(std::uint64_t from) const {
    auto known = bytes();
    while (from < known && !bytes_.compare_exchange_weak(known, from, std::memory_order_relaxed)) {
    }
  }

  bool operator==(const IntactPrefix&) const { return true; }

 private:
  mutable std::atomic<std::uint64_t> bytes_{0};
};

}  // namespace weft::eventlog
