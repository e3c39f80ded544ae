// An immutable value that every loop reads on its hot path and one thread replaces now and then
// (routes, validators, grants).
//
// at() costs one load of a line that nobody writes and a count of the loop's own: an atomic
// shared_ptr would make all loops write the same two lines for each request. What at() returned
// stays valid while it is held, also across waits. A value is freed when the last loop has let go
// of it, which store() asks each of them to do.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "runtime/loops.h"

namespace weft {

template <class T>
class LoopSnapshot {
 public:
  explicit LoopSnapshot(const Loops& loops) : cells_(std::make_shared<Cells>(loops.size())) {}

  // Any thread. Seen by every at() that begins after this has returned.
  void store(std::shared_ptr<const T> value, const Loops& loops) {
    cells_->value.store(std::move(value));
    cells_->version.fetch_add(1, std::memory_order_release);
    for (std::size_t i = 0; i < loops.size(); ++i) {
      loops.post(i, [cells = cells_, i] { (void)cells->at(i); });
    }
  }

  // Any thread; null before the first store().
  std::shared_ptr<const T> load() const { return cells_->value.load(); }

  // On the loop of that index.
  const std::shared_ptr<const T>& at(std::size_t loop) const { return cells_->at(loop); }

 private:
  struct alignas(64) Cell {
    std::uint64_t version = 0;
    std::shared_ptr<const T> value;
  };

  struct Cells {
    explicit Cells(std::size_t count) : of_loop(count) {}

    const std::shared_ptr<const T>& at(std::size_t loop) {
      auto& cell = of_loop[loop];
      auto now = version.load(std::memory_order_acquire);
      if (cell.version != now) {
        auto shared = value.load();
        auto* target = shared.get();
        // With a count of this loop's own.
        cell.value = std::shared_ptr<const T>(target, [shared = std::move(shared)](const T*) {});
        cell.version = now;
      }
      return cell.value;
    }

    std::atomic<std::shared_ptr<const T>> value;
    alignas(64) std::atomic<std::uint64_t> version{0};
    std::vector<Cell> of_loop;
  };

  std::shared_ptr<Cells> cells_;
};

}  // namespace weft
