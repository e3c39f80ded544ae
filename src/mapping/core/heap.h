// The memory of one evaluation: blocks by size class, counted against a limit. Private to mapping.
//
// While a Heap is entered, the values of its thread live in it. One thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace weft::mapping {

class Heap {
 public:
  Heap() = default;
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  // The heap that the thread has entered. Requires one.
  static Heap& current() { return *current_; }
  class Entered {
   public:
    explicit Entered(Heap& heap) : before_(current_) { current_ = &heap; }
    ~Entered() { current_ = before_; }
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;

   private:
    Heap* before_;
  };

  void* take(std::size_t bytes) {
    used_ += bytes;
    const std::size_t list = (bytes + kStep - 1) / kStep;
    if (list >= kLists) {
      work(bytes / kBytesPerWork);  // it is going to be filled
      return ::operator new(bytes);
    }
    Free* const found = free_[list];
    if (found == nullptr) return cut(list * kStep);
    free_[list] = found->next;
    return found;
  }
  void give(void* block, std::size_t bytes) {
    used_ -= bytes;
    const std::size_t list = (bytes + kStep - 1) / kStep;
    if (list >= kLists) {
      ::operator delete(block);
      return;
    }
    auto* const freed = static_cast<Free*>(block);
    freed->next = free_[list];
    free_[list] = freed;
  }

  std::size_t used() const { return used_; }
  // `work`: how much may be copied and compared that no step tells of, kWorkPerStep to a step.
  void limit_to(std::size_t bytes, std::uint64_t steps) {
    limit_ = bytes;
    work_left_ = static_cast<std::int64_t>(std::min<std::uint64_t>(steps, std::uint64_t{1} << 56)) *
                 kWorkPerStep;
  }
  // False when there was too much, and from then on: the heap counts as full.
  bool work(std::size_t amount) {
    work_left_ -= static_cast<std::int64_t>(amount);
    if (work_left_ >= 0) return true;
    limit_ = 0;
    return false;
  }
  bool is_out_of_work() const { return work_left_ < 0; }
  bool is_full() const { return used_ > limit_; }
  void note_depth(std::uint32_t depth) { deepest_ = depth > deepest_ ? depth : deepest_; }
  std::uint32_t deepest() const { return deepest_; }
  void forget_depth() { deepest_ = 0; }
  // Whether so much more may be taken: asked before one step takes much.
  bool has_room(std::size_t bytes) const { return bytes <= limit_ && used_ <= limit_ - bytes; }
  std::size_t room() const { return used_ < limit_ ? limit_ - used_ : 0; }

 private:
  struct Free {
    Free* next;
  };
  static constexpr std::size_t kStep = 16;
  static constexpr std::size_t kLists = 65;  // blocks up to 1 KiB
  static constexpr std::size_t kChunk = 64 * 1024;
  static constexpr std::int64_t kWorkPerStep = 16;  // elements compared
  static constexpr std::size_t kBytesPerWork = 64;  // copied

  void* cut(std::size_t bytes) {
    if (chunk_left_ < bytes) {
      chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(kChunk));
      chunk_at_ = chunks_.back().get();
      chunk_left_ = kChunk;
    }
    void* const block = chunk_at_;
    chunk_at_ += bytes;
    chunk_left_ -= bytes;
    return block;
  }

  static thread_local constinit Heap* current_;

  std::array<Free*, kLists> free_{};
  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::byte* chunk_at_ = nullptr;
  std::size_t chunk_left_ = 0;
  std::size_t used_ = 0;
  std::size_t limit_ = ~std::size_t{0};
  std::int64_t work_left_ = std::numeric_limits<std::int64_t>::max();
  std::uint32_t deepest_ = 0;
};

inline thread_local constinit Heap* Heap::current_ = nullptr;

}  // namespace weft::mapping
