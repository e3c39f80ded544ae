// The bytes of a simulated file: sparse, so that reserving a gigabyte costs nothing. Unwritten
// parts read as zeros. Values; one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace weft {

class PagedBytes {
 public:
  std::uint64_t size() const { return size_; }
  // Growing adds zeros; what is cut off is gone.
  void resize(std::uint64_t size);
  // Grows where needed.
  void write(std::uint64_t offset, std::string_view bytes);
  // Fewer bytes than asked for only at the end.
  std::size_t read(std::uint64_t offset, std::span<char> into) const;
  void flip_bit(std::uint64_t offset, unsigned bit);
  std::string text() const;

 private:
  static constexpr std::uint64_t kPageBytes = 4096;
  using Page = std::array<char, kPageBytes>;

  std::map<std::uint64_t, Page> pages_;
  std::uint64_t size_ = 0;
};

}  // namespace weft
