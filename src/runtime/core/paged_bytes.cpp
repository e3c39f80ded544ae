#include "runtime/core/paged_bytes.h"

#include <algorithm>

namespace weft {

void PagedBytes::resize(std::uint64_t size) {
  if (size < size_) {
    pages_.erase(pages_.lower_bound((size + kPageBytes - 1) / kPageBytes), pages_.end());
    auto last = pages_.find(size / kPageBytes);
    if (last != pages_.end())
      std::fill(last->second.begin() + size % kPageBytes, last->second.end(), '\0');
  }
  size_ = size;
}

void PagedBytes::write(std::uint64_t offset, std::string_view bytes) {
  size_ = std::max(size_, offset + bytes.size());
  while (!bytes.empty()) {
    const auto within = offset % kPageBytes;
    const auto part = bytes.substr(0, kPageBytes - within);
    auto page = pages_.try_emplace(offset / kPageBytes, Page{}).first;
    std::copy(part.begin(), part.end(), page->second.begin() + within);
    offset += part.size();
    bytes.remove_prefix(part.size());
  }
}

std::size_t PagedBytes::read(std::uint64_t offset, std::span<char> into) const {
  if (offset >= size_) return 0;
  const auto total = std::min<std::uint64_t>(into.size(), size_ - offset);
  for (std::uint64_t done = 0; done < total;) {
    const auto within = (offset + done) % kPageBytes;
    const auto part = std::min(total - done, kPageBytes - within);
    const auto page = pages_.find((offset + done) / kPageBytes);
    auto* to = into.data() + done;
    if (page == pages_.end())
      std::fill_n(to, part, '\0');
    else
      std::copy_n(page->second.begin() + within, part, to);
    done += part;
  }
  return total;
}

void PagedBytes::flip_bit(std::uint64_t offset, unsigned bit) {
  auto page = pages_.try_emplace(offset / kPageBytes, Page{}).first;
  auto& byte = page->second[offset % kPageBytes];
  byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << bit));
}

std::string PagedBytes::text() const {
  std::string out(size_, '\0');
  read(0, out);
  return out;
}

}  // namespace weft
