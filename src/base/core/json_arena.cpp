#include "base/core/json_arena.h"

#include <algorithm>

namespace weft {

void JsonArena::add_chunk(std::size_t at_least) {
  const std::size_t size = std::max(next_chunk_, at_least);
  chunks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
  free_ = chunks_.back().bytes.get();
  end_ = free_ + size;
  check_address(end_);
  next_chunk_ = std::min(size * 2, kChunkMax);
}

void JsonArena::reset() {
  std::size_t total = 0;
  for (const Chunk& chunk : chunks_) total += chunk.size;
  if (chunks_.size() > 1 || total > kKeptMax) {
    chunks_.clear();
    free_ = end_ = nullptr;
    next_chunk_ = std::min(total, kKeptMax);
    add_chunk(0);
  } else if (!chunks_.empty()) {
    free_ = chunks_.front().bytes.get();
  }
  if (stack_size_ * sizeof(Json) > kKeptMax) {
    stack_.reset();
    stack_size_ = 0;
  }
}

void JsonArena::grow_stack(std::size_t used) {
  const std::size_t size = std::max<std::size_t>(128, stack_size_ * 2);
  auto grown = std::make_unique<Json[]>(size);
  std::copy_n(stack_.get(), used, grown.get());
  stack_ = std::move(grown);
  stack_size_ = size;
}

}  // namespace weft
