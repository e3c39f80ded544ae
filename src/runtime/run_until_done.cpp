#include "runtime/run_until_done.h"

#include <mutex>
#include <vector>

namespace weft::detail {

namespace {

struct SpareLoops {
  std::mutex mutex;
  std::vector<std::unique_ptr<IoContext>> idle;
};

// Never destroyed, since threads may still post when the process ends.
SpareLoops& spare_loops() {
  static auto* loops = new SpareLoops();
  return *loops;
}

constexpr std::size_t kSpareLoopsMax = 16;

}  // namespace

SpareLoop::SpareLoop() {
  auto& spare = spare_loops();
  std::lock_guard lock(spare.mutex);
  if (spare.idle.empty()) {
    loop_ = std::make_unique<IoContext>();
    return;
  }
  loop_ = std::move(spare.idle.back());
  spare.idle.pop_back();
}

SpareLoop::~SpareLoop() {
  // One that still has work ends here, and the work with it.
  if (!loop_->stopped()) return;
  auto& spare = spare_loops();
  std::lock_guard lock(spare.mutex);
  if (spare.idle.size() < kSpareLoopsMax) spare.idle.push_back(std::move(loop_));
}

}  // namespace weft::detail
