// Which members or elements of one instance some schema has evaluated. Values; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace weft::contracts {

class EvaluatedSet {
 public:
  explicit EvaluatedSet(std::uint32_t size) {
    if (size > kSmall) large_.resize((size + 63) / 64);
  }
  void add(std::uint32_t i) { words()[i / 64] |= std::uint64_t{1} << (i % 64); }
  void add_all() { all_ = true; }
  bool has(std::uint32_t i) const { return all_ || (words()[i / 64] >> (i % 64) & 1) != 0; }
  void add(const EvaluatedSet& other) {
    all_ = all_ || other.all_;
    const std::size_t count = large_.empty() ? small_.size() : large_.size();
    for (std::size_t i = 0; i < count; ++i) words()[i] |= other.words()[i];
  }

 private:
  static constexpr std::uint32_t kSmall = 128;

  std::uint64_t* words() { return large_.empty() ? small_.data() : large_.data(); }
  const std::uint64_t* words() const { return large_.empty() ? small_.data() : large_.data(); }

  std::array<std::uint64_t, kSmall / 64> small_{};
  std::vector<std::uint64_t> large_;
  bool all_ = false;
};

}  // namespace weft::contracts
